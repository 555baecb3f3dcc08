"""Amounts in the capital numerals of bills and contracts (大写金额), which cannot be altered with a stroke.

Rule: the central bank's requirements for filling in bills (《正确填写票据和结算凭证的基本规定》, annex 1 of
银发〔1997〕393号): every gap of zeros is one 零, amounts in whole yuan end with 整.
"""

from __future__ import annotations

DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("仟", "佰", "拾", "")
_WAN, _YI = 10**4, 10**8


def write(fen: int) -> str:
    """Return an amount that is not negative: 107,000.53 yuan is 壹拾万柒仟元伍角叁分."""
    whole, cents = divmod(fen, 100)
    jiao, rest = divmod(cents, 10)
    if not cents:
        return f"{_number(whole) or DIGITS[0]}元整"
    said = f"{_number(whole)}元" if whole else ""
    if jiao:
        said += f"{DIGITS[jiao]}角"
    elif said:
        said += DIGITS[0]
    return f"{said}{DIGITS[rest]}分" if rest else said


def _number(value: int) -> str:
    """Return a whole number; nothing for 0."""
    for unit, name in ((_YI, "亿"), (_WAN, "万")):
        if value >= unit:
            high, low = divmod(value, unit)
            link = DIGITS[0] if 0 < low < unit // 10 else ""
            return f"{_number(high)}{name}{link}{_number(low)}"
    said, gap = "", False
    for figure, place in zip(f"{value:04d}", _PLACES, strict=True):
        if figure == "0":
            gap = bool(said)
        else:
            said += f"{DIGITS[0] if gap else ''}{DIGITS[int(figure)]}{place}"
            gap = False
    return said
