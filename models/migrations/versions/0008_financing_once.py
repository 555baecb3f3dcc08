"""Financing once: receivables, how a contract is financed, and keys by the rule of today

Revision: 0008, after 0007
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from market import financing_key
from models.migrations.altering import ID, Change, extend, index, loosen, restore

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_MODES = "'whole', 'invoices'"
_STANDING = "state <> 'withdrawn'"
#: Rows rewritten at a time.
_BATCH = 1000

#: Before the rows are filled in, and what must hold once they are.
_COLUMNS = Change(
    "financings",
    empty=[
        ("receivable_id", ID),
        ("live_key", sa.String(length=320)),
        ("live_mode", sa.String(length=32)),
    ],
    loosened=[("contract_id", ID)],
    pointing=[("fk_financings_receivable_id_receivables", "receivable_id", "receivables")],
)
_CONDITIONS = Change(
    "financings",
    checks=[
        ("ck_financings_live_mode", f"live_mode IN ({_MODES})"),
        ("ck_financings_one_subject", "(contract_id IS NULL) <> (receivable_id IS NULL)"),
        (
            "ck_financings_live_until_ended",
            "(ended_at IS NULL) = (live_key IS NOT NULL) AND (ended_at IS NULL) = (live_mode IS NOT NULL)",
        ),
        (
            "ck_financings_mode_fits_subject",
            "live_mode IS NULL OR (live_mode = 'invoices') = (receivable_id IS NOT NULL)",
        ),
    ],
)
_MODE_KEY = "fk_financings_live_key_financing_modes"


def upgrade() -> None:
    """Make the tables; write every stored key anew, and tell of claims that prove to be on one contract."""
    op.create_table(
        "financing_modes",
        sa.Column("contract_key", sa.String(length=320), nullable=False),
        sa.Column(
            "mode",
            sa.Enum(
                "whole",
                "invoices",
                name="financingmode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("contract_key", name=op.f("pk_financing_modes")),
        sa.UniqueConstraint("contract_key", "mode", name=op.f("uq_financing_modes_contract_key_mode")),
    )
    _create_receivables()
    extend(_COLUMNS)
    _rewrite(financing_key.make_key)
    extend(_CONDITIONS)
    with op.batch_alter_table("financings") as batch:
        batch.create_foreign_key(
            op.f(_MODE_KEY), "financing_modes", ["live_key", "live_mode"], ["contract_key", "mode"]
        )
    index("financings", "ix_financings_receivable_id", ["receivable_id"])
    index("financings", "ix_financings_live_mode", ["live_key", "live_mode"])
    op.create_table(
        "loan_receivables",
        sa.Column("id", ID, nullable=False),
        sa.Column("loan_id", ID, nullable=False),
        sa.Column("financing_id", ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("financed", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_loan_receivables_amount_sign")),
        sa.CheckConstraint("financed BETWEEN 0 AND amount", name=op.f("ck_loan_receivables_financed_range")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_loan_receivables_loan_id_loans")),
        sa.ForeignKeyConstraint(
            ["financing_id"], ["financings.id"], name=op.f("fk_loan_receivables_financing_id_financings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_receivables")),
        sa.UniqueConstraint("loan_id", "financing_id", name=op.f("uq_loan_receivables_loan_id_financing_id")),
    )
    index("loan_receivables", "ix_loan_receivables_financing_id", ["financing_id"])


def downgrade() -> None:
    """Undo it. Claims on receivables, which the former tables have no word for, go."""
    op.drop_index("ix_loan_receivables_financing_id", "loan_receivables")
    op.drop_table("loan_receivables")
    op.drop_index("ix_financings_live_mode", "financings")
    op.drop_index("ix_financings_receivable_id", "financings")
    with op.batch_alter_table("financings") as batch:
        batch.drop_constraint(op.f(_MODE_KEY), type_="foreignkey")
    loosen(_CONDITIONS)
    op.execute("DELETE FROM financings WHERE receivable_id IS NOT NULL")
    _rewrite(_make_former_key)
    loosen(_COLUMNS)
    restore(_COLUMNS)
    op.drop_index("ix_need_receivables_receivable_id", "need_receivables")
    op.drop_table("need_receivables")
    for name in ("waiting", "invoice", "contract_id", "debtor_id", "supplier_id"):
        op.drop_index(f"{'uq' if name == 'invoice' else 'ix'}_receivables_{name}", "receivables")
    op.drop_table("receivables")
    op.drop_table("financing_modes")


def _create_receivables() -> None:
    op.create_table(
        "receivables",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("supplier_id", ID, nullable=False),
        sa.Column("debtor_id", ID, nullable=True),
        sa.Column("debtor_name", sa.String(length=300), nullable=False),
        sa.Column("debtor_code", sa.String(length=18), nullable=True),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("contract_number", sa.String(length=160), nullable=False),
        sa.Column("invoice_number", sa.String(length=160), nullable=False),
        sa.Column("contract_key", sa.String(length=320), nullable=False),
        sa.Column("financing_key", sa.String(length=320), nullable=False),
        sa.Column("invoice_key", sa.String(length=320), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("evidence", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "entered",
                "requested",
                "confirmed",
                "refused",
                "withdrawn",
                name="receivablestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("requested_on", sa.Date(), nullable=True),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=300), nullable=True),
        sa.Column("entered_by", ID, nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_receivables_amount_sign")),
        sa.CheckConstraint("paid BETWEEN 0 AND amount", name=op.f("ck_receivables_paid_range")),
        sa.CheckConstraint("due_on >= issued_on", name=op.f("ck_receivables_due_after_issue")),
        sa.CheckConstraint(
            "debtor_code IS NULL OR length(debtor_code) = 18", name=op.f("ck_receivables_debtor_code_length")
        ),
        sa.CheckConstraint(
            "debtor_id IS NULL OR debtor_id <> supplier_id", name=op.f("ck_receivables_debtor_is_another")
        ),
        sa.CheckConstraint(
            "state <> 'requested' OR requested_on IS NOT NULL", name=op.f("ck_receivables_requested_has_day")
        ),
        sa.CheckConstraint(
            "state NOT IN ('confirmed','refused') OR decided_at IS NOT NULL",
            name=op.f("ck_receivables_decided_has_time"),
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (why IS NOT NULL)", name=op.f("ck_receivables_refusal_has_reason")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_receivables_zone_id_zones")),
        *(
            sa.ForeignKeyConstraint(
                [f"{side}_id"], ["organisations.id"], name=op.f(f"fk_receivables_{side}_id_organisations")
            )
            for side in ("supplier", "debtor")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_receivables_contract_id_contracts")
        ),
        *(
            sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"fk_receivables_{name}_users"))
            for name in ("decided_by", "entered_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receivables")),
    )
    for name in ("supplier_id", "debtor_id", "contract_id"):
        index("receivables", f"ix_receivables_{name}", [name])
    index(
        "receivables", "uq_receivables_invoice", ["supplier_id", "invoice_key"], unique=True, where=_STANDING
    )
    index("receivables", "ix_receivables_waiting", ["zone_id", "state", "requested_on"])
    op.create_table(
        "need_receivables",
        sa.Column("need_id", ID, nullable=False),
        sa.Column("receivable_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["need_id"], ["needs.id"], name=op.f("fk_need_receivables_need_id_needs")),
        sa.ForeignKeyConstraint(
            ["receivable_id"],
            ["receivables.id"],
            name=op.f("fk_need_receivables_receivable_id_receivables"),
        ),
        sa.PrimaryKeyConstraint("need_id", "receivable_id", name=op.f("pk_need_receivables")),
    )
    index("need_receivables", "ix_need_receivables_receivable_id", ["receivable_id"])


def _rewrite(make_key: Callable[[str, str], str]) -> None:
    """Write the keys of contracts and claims by a rule.

    Two live claims that prove to be on one contract both stay, the later one under a key with its number;
    both zones' officers are told. Nobody else can claim the contract while either lives.
    """
    bind = op.get_bind()
    contracts = sa.table(
        "contracts", *map(sa.column, ("id", "zone_id", "number", "supplier_code", "financing_key"))
    )
    renamed: dict[tuple[int, str], str] = {}
    known = sa.select(contracts).where(contracts.c.supplier_code.is_not(None)).order_by(contracts.c.id)
    last = 0
    while rows := bind.execute(known.where(contracts.c.id > last).limit(_BATCH)).all():
        last = rows[-1].id
        changed = [
            {"row": row.id, "key": key}
            for row in rows
            if (key := make_key(row.number, row.supplier_code)) != row.financing_key
        ]
        if changed:
            former = {row.id: row.financing_key for row in rows}
            renamed |= {(one["row"], former[one["row"]]): one["key"] for one in changed}
            bind.execute(
                sa.update(contracts)
                .where(contracts.c.id == sa.bindparam("row"))
                .values(financing_key=sa.bindparam("key")),
                changed,
            )
    has_modes = make_key is financing_key.make_key
    columns = ("id", "contract_id", "key", "ended_at", *(("live_key", "live_mode") if has_modes else ()))
    claims = sa.table("financings", *map(sa.column, columns))
    found = bind.execute(
        sa.select(claims, contracts.c.number, contracts.c.zone_id)
        .join(contracts, contracts.c.id == claims.c.contract_id)
        .order_by(claims.c.ended_at.is_not(None), claims.c.id)
    ).all()
    # First out of each other's way: a key may be one that another row gives up only now.
    bind.execute(sa.update(claims).values(key=sa.literal("~") + sa.cast(claims.c.id, sa.String(20))))
    taken: dict[str, Any] = {}
    for row in found:
        said = row.key.partition("|#")[0]
        key = renamed.get((row.contract_id, said), said)
        values: dict[str, Any] = {"key": key}
        if row.ended_at is None:
            if key in taken:
                values["key"] = f"{key[:300]}|#{row.id}"
                _tell(bind, [taken[key], row])
            taken.setdefault(key, row)
            if has_modes:
                values |= {"live_key": key, "live_mode": "whole"}
        bind.execute(sa.update(claims).where(claims.c.id == row.id).values(values))
    if has_modes and taken:
        modes = sa.table("financing_modes", sa.column("contract_key"), sa.column("mode"))
        bind.execute(sa.insert(modes), [{"contract_key": key, "mode": "whole"} for key in taken])


def _tell(bind: sa.Connection, claims: list[Any]) -> None:
    """Alert the officers of both zones to a contract that is financed twice already."""
    alerts = sa.table(
        "alerts",
        *map(sa.column, ("zone_id", "kind", "subject", "contract_id")),
        sa.column("details", sa.JSON()),
        sa.column("raised_at", sa.DateTime(timezone=True)),
        sa.column("resolved_at"),
    )
    for claim in claims:
        subject = f"financing:{claim.id}"
        open_one = sa.select(alerts.c.subject).where(
            alerts.c.kind == "financing_refused", alerts.c.subject == subject, alerts.c.resolved_at.is_(None)
        )
        if bind.execute(open_one).first() is None:
            bind.execute(
                sa.insert(alerts).values(
                    zone_id=claim.zone_id,
                    kind="financing_refused",
                    subject=subject,
                    contract_id=claim.contract_id,
                    details={"number": claim.number},
                    raised_at=datetime.now(UTC).replace(
                        tzinfo=None if bind.dialect.name == "sqlite" else UTC
                    ),
                )
            )


def _make_former_key(number: str, supplier_code: str) -> str:
    """Return the key by the former rule: letters, digits and currency signs, of katakana's dash too."""
    parts = []
    for part in (number, supplier_code):
        folded = unicodedata.normalize("NFKC", part).upper()
        parts.append("".join(c for c in folded if c.isalnum() or unicodedata.category(c) == "Sc"))
    return "|".join(parts)
