"""The disclosure sheet on paper (贷款明白纸): a PDF that a bank hands out and a firm can file.

The compound annual cost is its most prominent rate (PBOC Notice 2021 No. 3); every cost stands there with
payee, basis, time and amount, and the hash of the proof from which anybody can work the figures out again.
"""

from __future__ import annotations

from flask_babel import gettext

from blueprints import disclosure, explanations, formats
from blueprints.documents import capitals
from blueprints.documents.paper import ACTION, INSIDE, LEFT, SOFT, Cell, Column, Paper, height_of
from blueprints.documents.sheet import Sheet
from market.cost import Cost
from market.schedule import Line, Unit
from market.terms import LeaseTerms, LoanTerms

_NO_DATE = ""


def render(sheet: Sheet) -> bytes:
    """Return the sheet as PDF in the language of the request; raises ``Unavailable`` without the typeface."""
    title = gettext("Disclosure sheet")
    page = Paper(
        title=" / ".join(filter(None, [title, sheet.lender, sheet.number])),
        author=sheet.issuer,
        language="zh-CN" if formats.speaks_chinese() else "en",
        made_at=sheet.made_at,
        footer=" / ".join(filter(None, [title, sheet.number, f"SHA-256 {sheet.seal[:16]}"])),
        numbering=gettext("Page {page} of {count}"),
    )
    _write_head(page, sheet, title)
    _write_annual_cost(page, sheet.cost)
    _write_terms(page, sheet.cost)
    _write_costs(page, sheet.cost)
    _write_conventions(page, sheet)
    _write_schedule(page, sheet.cost)
    _write_proof(page, sheet)
    return page.finish()


def _write_head(page: Paper, sheet: Sheet, title: str) -> None:
    page.say(title, LEFT, page.at - 2, 23, bold=True)
    page.say(sheet.issuer, LEFT, page.at, 9, bold=True, right=True)
    page.say(sheet.number, LEFT, page.at + 5, 8.5, ink=SOFT, right=True)
    page.at += height_of(23) - 1
    page.say(gettext("Every cost of this financing, who charges it, and when"), LEFT, page.at, 9.5, ink=SOFT)
    page.say(
        gettext("Worked out on %(day)s", day=formats.day(sheet.priced_on)),
        LEFT,
        page.at,
        8.5,
        ink=SOFT,
        right=True,
    )
    page.at += height_of(9.5) + 2
    page.rule(page.at, ink=ACTION, weight=0.7)
    page.at += 1
    pairs = [
        (gettext("Offered by"), sheet.lender),
        (gettext("Product"), sheet.product),
        (gettext("Borrower"), sheet.firm),
        (gettext("How it binds"), sheet.binds),
    ]
    if pairs := [pair for pair in pairs if pair[1]]:
        page.facts(pairs)
    if sheet.receipt:
        page.facts([(gettext("Receipt hash"), sheet.receipt)], columns=1)
    page.at += 3.5


def _write_annual_cost(page: Paper, cost: Cost) -> None:
    """Put the annual cost, the largest of all figures, with its simple form and the total small beside it."""
    height, middle = 31.0, LEFT + 0.56 * INSIDE
    page.panel(LEFT, page.at, INSIDE, height)
    page.say(gettext("All-in annual cost (compound, IRR)"), LEFT + 5, page.at + 4, 10, bold=True, ink=ACTION)
    if cost.effective is None:
        reason = str(explanations.NO_RATE.get(cost.note or "", cost.note or ""))
        said = gettext("cannot be computed: %(reason)s", reason=reason)
        for place, line in enumerate(page.wrap(said, 0.5 * INSIDE, 11)):
            page.say(line, LEFT + 5, page.at + 12 + place * height_of(11), 11)
    else:
        page.say(formats.rate(cost.effective), LEFT + 5, page.at + 9.5, 36, bold=True, ink=ACTION)
    page.say(gettext("Annual cost, simple form"), middle, page.at + 4, 8.5, ink=SOFT)
    page.say(formats.rate(cost.simple), middle, page.at + 8.2, 15, bold=True)
    page.say(gettext("Total cost"), middle, page.at + 17, 8.5, ink=SOFT)
    amount = gettext("%(amount)s yuan", amount=formats.exact(cost.total_cost))
    page.say(amount, middle, page.at + 21.2, 13, bold=True)
    page.at += height + 1.2
    page.tell(
        gettext("Interest and every fee are counted in, subsidies that the firm receives are taken off."),
        8,
        ink=SOFT,
    )


def _write_terms(page: Paper, cost: Cost) -> None:
    page.headline(gettext("What was agreed"))
    pairs = disclosure.facts(cost.terms)
    pairs.append((gettext("Money received"), _yuan(cost.net_received)))
    if cost.average_monthly_payment is not None:
        pairs.append((gettext("Average monthly payment"), _yuan(cost.average_monthly_payment)))
    if cost.cost_per_yuan is not None:
        each = gettext("%(amount)s yuan", amount=f"{cost.cost_per_yuan:.4f}")
        pairs.append((gettext("Cost of each yuan borrowed"), each))
    principal = disclosure.principal(cost.terms)
    page.rule(page.at)
    if principal is not None:
        capital = gettext("%(amount)s (Chinese capitals)", amount=f"人民币{capitals.write(principal)}")
        page.facts([(gettext("Principal in words"), capital)], columns=1)
    page.facts(pairs)


def _write_costs(page: Paper, cost: Cost) -> None:
    page.headline(gettext("Every cost"))
    columns = [
        Column(gettext("Cost"), 24),
        Column(gettext("Paid to"), 21),
        Column(gettext("Basis"), 41),
        Column(gettext("When"), 32),
        Column(gettext("Times"), 12, is_number=True),
        Column(gettext("Yuan in all"), 26, is_number=True),
    ]
    rows: list[list[Cell | str]] = [
        [
            disclosure.part(row),
            disclosure.payee(str(row["payee"])),
            disclosure.basis(row),
            disclosure.timing(row),
            disclosure.times(row),
            Cell(disclosure.total(row), disclosure.note(row)),
        ]
        for row in disclosure.rows(cost)
    ]
    page.tabulate(
        columns, rows, total=[gettext("Total cost"), "", "", "", "", formats.exact(cost.total_cost)]
    )
    if len(cost.breakdown) > 1:
        page.at += 3
        split = [
            gettext("%(payee)s %(amount)s", payee=disclosure.payee(payee), amount=formats.exact(amount))
            for payee, amount in cost.breakdown
        ]
        page.tell(gettext("By payee, yuan: %(split)s", split=gettext("; ").join(split)), 8.5)
    page.at += 1.5
    page.tell(
        gettext(
            "Every cost the firm would bear, whoever it is paid to. "
            "A fee that is not here may not be charged."
        ),
        8,
        ink=SOFT,
    )


def _write_conventions(page: Paper, sheet: Sheet) -> None:
    page.headline(gettext("How it is counted"), room=12)
    for sentence in disclosure.convention(sheet.cost.convention):
        page.tell(sentence, 8.5)
    page.tell(
        gettext(
            "The simple form is twelve times the monthly rate; for one repayment within a year it is the "
            "cost pro rata of the days."
        ),
        8.5,
    )
    if sheet.lpr:
        page.tell(sheet.lpr, 8.5)


def _write_schedule(page: Paper, cost: Cost) -> None:
    lines = cost.schedule.lines
    if not lines:
        return
    page.headline(gettext("Repayment schedule, yuan"))
    dated = any(line.due is not None for line in lines)
    subsidised, held = any(line.subsidy for line in lines), any(line.deposit for line in lines)
    columns = [Column(_count_words(cost), 15, is_short=True)]
    columns += [Column(gettext("Due"), 21, is_short=True)] if dated else []
    columns += [Column(words, 25, is_number=True) for words in (gettext("To pay"), gettext("Principal"))]
    columns += [Column(words, 21, is_number=True) for words in (gettext("Interest"), gettext("Fees"))]
    columns += [Column(gettext("Subsidy"), 20, is_number=True)] if subsidised else []
    columns += [Column(gettext("Deposit"), 22, is_number=True)] if held else []
    columns.append(Column(gettext("Still owed"), 25, is_number=True))

    def row(first: str, due: str, line: Line, owed: str) -> list[str]:
        figures = [_due(line), line.principal, line.interest, line.fees]
        figures += [-line.subsidy] if subsidised else []
        figures += [line.deposit] if held else []
        return [first, *([due] if dated else []), *(formats.exact(figure) for figure in figures), owed]

    table = [
        row(
            formats.count(line.number) if line.number else gettext("start"),
            formats.day(line.due) if line.due else _NO_DATE,
            line,
            formats.exact(line.balance),
        )
        for line in lines
    ]
    names = ("principal", "interest", "fees", "subsidy", "deposit")
    sums = {name: sum(getattr(line, name) for line in lines) for name in names}
    whole = Line(number=0, due=None, balance=0, **sums)
    page.tabulate(columns, table, total=row(gettext("Total"), _NO_DATE, whole, ""), padding=0.7)


def _write_proof(page: Paper, sheet: Sheet) -> None:
    page.headline(gettext("How to check it"), room=42 if sheet.lender else 20)
    page.tell(
        gettext(
            "The proof of this sheet is a file (JSON, or Excel with formulas) that lists every flow with its "
            "time: anybody can work the annual cost out again, with any program. Its SHA-256:"
        ),
        8.5,
    )
    page.tell(sheet.seal, 8.5, bold=True)
    if not sheet.lender:
        return
    page.at += 5
    page.keep(22)
    width = (INSIDE - 8) / 2
    for place, words in enumerate((gettext("Offered by (seal)"), gettext("Borrower (seal)"))):
        x = LEFT + place * (width + 8)
        page.say(words, x, page.at, 8.5, ink=SOFT)
        page.rule(page.at + 16, x, x + width, ink=SOFT)
        page.say(gettext("Date"), x, page.at + 17, 8, ink=SOFT)
    page.at += 22


def _count_words(cost: Cost) -> str:
    if cost.schedule.unit is Unit.DAY:
        return gettext("Days")
    terms = cost.terms
    return gettext("No.") if isinstance(terms, (LoanTerms, LeaseTerms)) and terms.due else gettext("Month")


def _due(line: Line) -> int:
    return line.principal + line.interest + line.fees + line.deposit - line.subsidy


def _yuan(fen: int) -> str:
    return gettext("%(amount)s yuan", amount=formats.exact(fen))
