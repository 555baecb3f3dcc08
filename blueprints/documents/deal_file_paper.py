"""The file of a deal on paper and as a workbook: who did what when on which evidence, with double entries."""

from __future__ import annotations

from flask_babel import gettext, lazy_gettext

from blueprints import deal_file_words, formats, labels
from blueprints.documents import capitals, spreadsheet
from blueprints.documents.paper import ACTION, LEFT, SOFT, Cell, Column, Paper, height_of
from blueprints.documents.spreadsheet import Kind
from services.deal_file import DealFile, Posting

#: The workbook's lists.
ENTRY_COLUMNS = (
    spreadsheet.Column(lazy_gettext("Day"), Kind.DAY),
    spreadsheet.Column(lazy_gettext("Written down"), Kind.MOMENT),
    spreadsheet.Column(lazy_gettext("What happened")),
    spreadsheet.Column(lazy_gettext("Amount"), Kind.MONEY),
    spreadsheet.Column(lazy_gettext("Who")),
    spreadsheet.Column(lazy_gettext("Evidence")),
    spreadsheet.Column(lazy_gettext("Particulars")),
)
POSTING_COLUMNS = (
    spreadsheet.Column(lazy_gettext("Day"), Kind.DAY),
    spreadsheet.Column(lazy_gettext("Posted"), Kind.MOMENT),
    spreadsheet.Column(lazy_gettext("From account")),
    spreadsheet.Column(lazy_gettext("To account")),
    spreadsheet.Column(lazy_gettext("Amount"), Kind.MONEY),
    spreadsheet.Column(lazy_gettext("Balance of the first"), Kind.MONEY),
    spreadsheet.Column(lazy_gettext("Balance of the second"), Kind.MONEY),
)


def render(file: DealFile, *, lender: str, borrower: str, guarantor: str, issuer: str) -> bytes:
    """Return the file as PDF in the language of the request; raises ``Unavailable`` without the typeface."""
    title = gettext("File of deal %(number)s", number=file.loan.id)
    page = Paper(
        title=" / ".join([title, lender, borrower]),
        author=issuer,
        language="zh-CN" if formats.speaks_chinese() else "en",
        made_at=file.made_at,
        footer=" / ".join([title, formats.moment_text(file.made_at)]),
        numbering=gettext("Page {page} of {count}"),
    )
    page.say(title, LEFT, page.at - 2, 21, bold=True)
    page.say(issuer, LEFT, page.at, 9, bold=True, right=True)
    page.at += height_of(21)
    said = gettext(
        "As at %(time)s: %(count)s entries in order of time",
        time=formats.moment_text(file.made_at, zone=True),
        count=len(file.entries),
    )
    page.say(said, LEFT, page.at, 9.5, ink=SOFT)
    page.at += height_of(9.5) + 2
    page.rule(page.at, ink=ACTION, weight=0.7)
    _write_facts(page, file, lender, borrower, guarantor)
    _write_entries(page, file)
    _write_postings(page, file)
    return page.finish()


def write_workbook(file: DealFile) -> bytes:
    """Return the file as a workbook: the entries on one sheet, the double entries on another."""
    entries = [
        [
            entry.deed.on,
            entry.deed.at,
            deal_file_words.title(entry.deed),
            entry.deed.amount,
            deal_file_words.who(entry),
            entry.deed.evidence,
            deal_file_words.text(entry.deed),
        ]
        for entry in file.entries
    ]
    postings = [
        [
            row.movement.booked_on,
            row.movement.posted_at,
            row.movement.source,
            row.movement.target,
            row.movement.amount,
            row.source_balance,
            row.target_balance,
        ]
        for row in file.postings
    ]
    return spreadsheet.write_sheets(
        [
            (gettext("What happened"), ENTRY_COLUMNS, entries),
            (gettext("Double entries"), POSTING_COLUMNS, postings),
        ]
    )


def _write_facts(page: Paper, file: DealFile, lender: str, borrower: str, guarantor: str) -> None:
    loan = file.loan
    capital = gettext("%(amount)s (Chinese capitals)", amount=f"人民币{capitals.write(loan.principal)}")
    page.facts([(gettext("Principal in words"), capital)], columns=1)
    pairs = [
        (gettext("Lender"), lender),
        (gettext("Borrower"), borrower),
        (gettext("Type"), str(labels.label(loan.kind))),
        (gettext("State"), str(labels.label(loan.state))),
        (gettext("Principal"), _yuan(loan.principal)),
        (gettext("All-in annual cost"), formats.rate(loan.effective)),
        (gettext("Drawn"), _yuan(loan.drawn)),
        (gettext("Outstanding"), _yuan(loan.outstanding)),
        (gettext("Lateness"), str(labels.label(loan.bucket))),
        (gettext("Classification"), str(labels.label(loan.risk_class))),
    ]
    if loan.contract is not None:
        pairs.append((gettext("Contract"), loan.contract.number))
        pairs.append((gettext("Purchaser"), loan.contract.purchaser_name or formats.ABSENT))
    if file.guarantee is not None:
        pairs.append((gettext("Guarantor"), guarantor))
        pairs.append((gettext("Guaranteed"), _yuan(file.guarantee.amount)))
    page.facts(pairs)


def _write_entries(page: Paper, file: DealFile) -> None:
    page.headline(gettext("What happened"))
    columns = [
        Column(gettext("Day"), 19, is_short=True),
        Column(gettext("What happened"), 62),
        Column(gettext("Amount, yuan"), 25, is_number=True),
        Column(gettext("Who"), 34),
        Column(gettext("Evidence"), 34),
    ]
    rows: list[list[Cell | str]] = [
        [
            Cell(formats.day(entry.deed.on), formats.moment_text(entry.deed.at)),
            Cell(deal_file_words.title(entry.deed), deal_file_words.text(entry.deed)),
            "" if entry.deed.amount is None else formats.exact(entry.deed.amount),
            deal_file_words.who(entry),
            entry.deed.evidence,
        ]
        for entry in file.entries
    ]
    page.tabulate(columns, rows, padding=0.9)


def _write_postings(page: Paper, file: DealFile) -> None:
    if not file.postings:
        return
    page.headline(gettext("Double entries, yuan"))
    columns = [
        Column(gettext("Day"), 20, is_short=True),
        Column(gettext("From account"), 34),
        Column(gettext("To account"), 34),
        *(
            Column(words, 28, is_number=True)
            for words in (
                gettext("Amount"),
                gettext("Balance of the first"),
                gettext("Balance of the second"),
            )
        ),
    ]
    page.tabulate(columns, [_row(posting) for posting in file.postings], padding=0.7)
    page.headline(gettext("Balances, yuan"), room=12)
    balances = [(str(labels.label(account)), formats.exact(fen)) for account, fen in file.balances.items()]
    page.facts([*balances, (gettext("Sum"), formats.exact(sum(file.balances.values())))])


def _row(posting: Posting) -> list[Cell | str]:
    movement = posting.movement
    return [
        formats.day(movement.booked_on),
        str(labels.label(movement.source)),
        str(labels.label(movement.target)),
        formats.exact(movement.amount),
        formats.exact(posting.source_balance),
        formats.exact(posting.target_balance),
    ]


def _yuan(fen: int) -> str:
    return gettext("%(amount)s yuan", amount=formats.exact(fen))
