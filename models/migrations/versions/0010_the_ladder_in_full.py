"""The ladder of the contract loan in full

Revision: 0010, after 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.migrations.altering import ID, Change, extend, index, loosen, restore

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_WAITING = "needs_confirmation AND confirmed_by IS NULL AND undone_at IS NULL"

_CHANGES = (
    Change(
        "contracts",
        empty=[("published_on", sa.Date()), ("terminated_on", sa.Date())],
        checks=[
            (
                "ck_contracts_locked_names_account",
                "stage NOT IN ('account_locked','pledge_registered','drawn','purchaser_paid','repaid',"
                "'pledge_cancelled') OR payee_account IS NOT NULL",
            ),
            (
                "ck_contracts_pledged_names_pledge",
                "stage NOT IN ('pledge_registered','drawn','purchaser_paid','repaid')"
                " OR (pledge_number IS NOT NULL AND pledge_expires_on IS NOT NULL)",
            ),
        ],
    ),
    Change(
        "contract_steps",
        checks=[
            ("ck_contract_steps_lock_asks_second", "stage <> 'account_locked' OR needs_confirmation"),
            (
                "ck_contract_steps_evidence_given",
                "stage NOT IN ('filed','account_locked') OR evidence <> ''",
            ),
        ],
    ),
    Change("purchaser_payments", empty=[("watched_at", sa.DateTime(timezone=True))]),
)

#: What no CHECK can hold: (name, table, event, condition under which it is refused).
_TRIGGERS = (
    (
        "contracts_account_agreed",
        "contracts",
        "UPDATE OF payee_account",
        "OLD.payee_account IS NOT NULL AND NEW.payee_account IS NOT NULL"
        " AND NEW.payee_account <> OLD.payee_account AND NOT EXISTS (SELECT 1 FROM account_changes"
        " WHERE account_changes.contract_id = NEW.id AND account_changes.state = 'done'"
        " AND account_changes.new_account = NEW.payee_account)",
    ),
    (
        "financings_not_terminated",
        "financings",
        "INSERT",
        "EXISTS (SELECT 1 FROM contracts WHERE contracts.id = NEW.contract_id"
        " AND contracts.terminated_on IS NOT NULL)",
    ),
    # Of what was closed elsewhere (no award) the facts are recorded as they were.
    (
        "loan_events_after_pledge",
        "loan_events",
        "INSERT",
        "NEW.kind = 'drawdown' AND EXISTS (SELECT 1 FROM loans JOIN contracts"
        " ON contracts.id = loans.contract_id WHERE loans.id = NEW.loan_id AND loans.award_id IS NOT NULL"
        " AND contracts.stage NOT IN ('pledge_registered', 'drawn', 'purchaser_paid', 'repaid'))",
    ),
)


def upgrade() -> None:
    """Account changes, pledges, terminations; and the ladder's invariants as laws."""
    # Earlier steps were recorded without what is asked for now; nothing is made up for them.
    op.execute(
        "UPDATE contract_steps SET evidence = '未存档' WHERE stage IN ('filed', 'account_locked')"
        " AND evidence = ''"
    )
    for change in _CHANGES:
        extend(change)
    index("contract_steps", "uq_contract_steps_waiting", ["contract_id"], unique=True, where=_WAITING)
    _create_account_changes()
    _create_pledges()
    _create_terminations()
    _write_pledges()
    for name, table, event, condition in _TRIGGERS:
        _forbid(name, table, event, condition)


def downgrade() -> None:
    """Undo it; what a contract's pledge and account are now stays on the contract."""
    for name, table, *_ in _TRIGGERS:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
        else:
            op.execute(f"DROP TRIGGER {name}")
    # Without its termination a contract could be financed again.
    op.execute("UPDATE contracts SET status = 'terminated' WHERE terminated_on IS NOT NULL")
    for table, partial in (
        ("terminations", ""),
        ("pledges", "uq_pledges_standing"),
        ("account_changes", "uq_account_changes_open"),
    ):
        if partial:
            op.drop_index(partial, table)
            op.drop_index(f"ix_{table}_contract_id", table)
        op.drop_table(table)
    op.drop_index("uq_contract_steps_waiting", "contract_steps")
    for change in _CHANGES[:2]:
        loosen(change)
    for change in _CHANGES:
        restore(change)


def _forbid(name: str, table: str, event: str, condition: str) -> None:
    """Let the database refuse a row that breaks a law over several tables."""
    if op.get_bind().dialect.name == "postgresql":
        # The condition of a PostgreSQL trigger may not ask other tables: its function does.
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN"
            f" RAISE EXCEPTION '{name}' USING ERRCODE = '23514', CONSTRAINT = '{name}'; END IF;"
            " RETURN NEW; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        return
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: {name}'); END"
    )


def _create_account_changes() -> None:
    op.create_table(
        "account_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "done",
                "refused",
                "withdrawn",
                name="accountchangestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("old_account", sa.String(length=40), nullable=False),
        sa.Column("old_bank", sa.String(length=120), nullable=True),
        sa.Column("new_account", sa.String(length=40), nullable=False),
        sa.Column("new_bank", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("evidence", sa.String(length=300), nullable=False),
        sa.Column("requested_for", ID, nullable=False),
        sa.Column("requested_by", ID, nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purchaser_agreed_by", ID, nullable=True),
        sa.Column("purchaser_agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lender_agreed_by", ID, nullable=True),
        sa.Column("lender_agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=300), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("evidence <> ''", name=op.f("ck_account_changes_evidence_given")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_account_changes_reason_given")),
        sa.CheckConstraint(
            "new_account <> '' AND new_account <> old_account",
            name=op.f("ck_account_changes_another_account"),
        ),
        sa.CheckConstraint(
            "(purchaser_agreed_by IS NULL) = (purchaser_agreed_at IS NULL)",
            name=op.f("ck_account_changes_purchaser_whole"),
        ),
        sa.CheckConstraint(
            "(lender_agreed_by IS NULL) = (lender_agreed_at IS NULL)",
            name=op.f("ck_account_changes_lender_whole"),
        ),
        sa.CheckConstraint(
            "(purchaser_agreed_by IS NULL OR purchaser_agreed_by <> requested_by)"
            " AND (lender_agreed_by IS NULL OR lender_agreed_by <> requested_by)"
            " AND (purchaser_agreed_by IS NULL OR lender_agreed_by IS NULL"
            " OR purchaser_agreed_by <> lender_agreed_by)",
            name=op.f("ck_account_changes_three_people"),
        ),
        sa.CheckConstraint(
            "state <> 'done' OR (purchaser_agreed_by IS NOT NULL AND lender_agreed_by IS NOT NULL)",
            name=op.f("ck_account_changes_done_by_both"),
        ),
        sa.CheckConstraint(
            "state <> 'requested' OR purchaser_agreed_by IS NULL OR lender_agreed_by IS NULL",
            name=op.f("ck_account_changes_both_make_done"),
        ),
        sa.CheckConstraint(
            "(state = 'done') = (published_at IS NOT NULL)", name=op.f("ck_account_changes_done_is_published")
        ),
        sa.CheckConstraint(
            "(state = 'requested') = (decided_at IS NULL)", name=op.f("ck_account_changes_decision_has_time")
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR (why IS NOT NULL AND why <> '')",
            name=op.f("ck_account_changes_refusal_has_reason"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_account_changes_{column}_{table}")
            )
            for column, table in (
                ("contract_id", "contracts"),
                ("requested_for", "organisations"),
                ("requested_by", "users"),
                ("purchaser_agreed_by", "users"),
                ("lender_agreed_by", "users"),
                ("decided_by", "users"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_changes")),
    )
    index("account_changes", "ix_account_changes_contract_id", ["contract_id"])
    index(
        "account_changes",
        "uq_account_changes_open",
        ["contract_id"],
        unique=True,
        where="state = 'requested'",
    )


def _create_pledges() -> None:
    op.create_table(
        "pledges",
        sa.Column("id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("evidence", sa.String(length=300), nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_why",
            sa.Enum(
                "renewed",
                "cancelled",
                "loan_cancelled",
                name="pledgeend",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("number <> ''", name=op.f("ck_pledges_number_given")),
        sa.CheckConstraint("expires_on > registered_on", name=op.f("ck_pledges_expires_later")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name=op.f("ck_pledges_end_whole")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_pledges_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_pledges_recorded_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pledges")),
    )
    index("pledges", "ix_pledges_contract_id", ["contract_id"])
    index("pledges", "uq_pledges_standing", ["contract_id"], unique=True, where="ended_at IS NULL")


def _create_terminations() -> None:
    op.create_table(
        "terminations",
        sa.Column("id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("terminated_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("evidence", sa.String(length=300), nullable=False),
        sa.Column("recorded_by", ID, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> '' AND evidence <> ''", name=op.f("ck_terminations_grounds_given")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_terminations_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name=op.f("fk_terminations_recorded_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminations")),
        sa.UniqueConstraint("contract_id", name=op.f("uq_terminations_contract_id")),
    )


def _write_pledges() -> None:
    """Say the pledges that contracts name as rows of their own, standing or cancelled."""
    op.execute(
        "INSERT INTO pledges (contract_id, number, registered_on, expires_on, evidence, recorded_by,"
        " recorded_at, ended_at, ended_why)"
        " SELECT contracts.id, contracts.pledge_number, contract_steps.happened_on,"
        " contracts.pledge_expires_on, contract_steps.evidence, contract_steps.recorded_by,"
        " contract_steps.recorded_at,"
        " CASE WHEN contracts.stage IN ('pledge_cancelled', 'unlocked') THEN contracts.updated_at END,"
        " CASE WHEN contracts.stage IN ('pledge_cancelled', 'unlocked') THEN 'cancelled' END"
        " FROM contracts JOIN contract_steps ON contract_steps.contract_id = contracts.id"
        " AND contract_steps.stage = 'pledge_registered' AND contract_steps.undone_at IS NULL"
        " WHERE contracts.pledge_number IS NOT NULL"
        " AND contracts.pledge_expires_on > contract_steps.happened_on"
    )
