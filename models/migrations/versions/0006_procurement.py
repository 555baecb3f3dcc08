"""Procurement: intentions, dated rules, framework agreements, deposits, and notices inside the market

Revision: 0006, after 0005
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from market.reference import procurement_rules
from models.migrations.altering import ID, Change, extend, restore

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SCALE = 10**8

_ZONES = Change(
    "zones",
    filled=[
        ("framework_required", sa.Boolean(), sa.false()),
        ("bid_deposits_abolished", sa.Boolean(), sa.false()),
    ],
)

#: Another agreement of the same institution and zone that is live on a day of the new one.
_OVERLAP = (
    "SELECT 1 FROM framework_agreements other WHERE other.zone_id = NEW.zone_id"
    " AND other.organisation_id = NEW.organisation_id AND other.id <> NEW.id AND other.ended_on IS NULL"
    " AND NEW.ended_on IS NULL AND other.valid_from <= NEW.valid_until AND other.valid_until >= NEW.valid_from"
)


def upgrade() -> None:
    """Create the tables, put the shipped national rules into theirs, and let zones choose."""
    op.create_table(
        "notices",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("organisation_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "award_notice",
                "awards_of_day",
                "intention",
                "framework_ending",
                "framework_ended",
                "deposit_demanded",
                "guarantee_asked",
                "guarantee_declined",
                "guarantee_issued",
                "guarantee_expired",
                "deposit_released",
                name="noticekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", ID, nullable=True),
        sa.CheckConstraint(
            "(organisation_id IS NULL) <> (user_id IS NULL)", name=op.f("ck_notices_one_recipient")
        ),
        sa.CheckConstraint(
            "read_at IS NULL OR read_at >= created_at", name=op.f("ck_notices_read_after_creation")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_notices_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["read_by"], ["users.id"], name=op.f("fk_notices_read_by_users")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notices_user_id_users")),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_notices_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notices_unread",
            ["organisation_id", "zone_id"],
            unique=False,
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        )
        batch_op.create_index(
            "uq_notices_organisation",
            ["organisation_id", "zone_id", "kind", "subject"],
            unique=True,
            sqlite_where=sa.text("organisation_id IS NOT NULL"),
            postgresql_where=sa.text("organisation_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_notices_user",
            ["user_id", "zone_id", "kind", "subject"],
            unique=True,
            sqlite_where=sa.text("user_id IS NOT NULL"),
            postgresql_where=sa.text("user_id IS NOT NULL"),
        )

    op.create_table(
        "procurement_intentions",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("purchaser_id", ID, nullable=True),
        sa.Column("purchaser_name", sa.String(length=300), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("description", sa.String(length=1000), nullable=False),
        sa.Column(
            "object",
            sa.Enum(
                "goods",
                "services",
                "works",
                name="procurementobject",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("industry", sa.String(length=40), nullable=True),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("budget", sa.BigInteger(), nullable=True),
        sa.Column("expected_month", sa.Date(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("is_reserved", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("budget > 0", name=op.f("ck_procurement_intentions_budget_sign")),
        sa.ForeignKeyConstraint(
            ["purchaser_id"],
            ["organisations.id"],
            name=op.f("fk_procurement_intentions_purchaser_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name=op.f("fk_procurement_intentions_recorded_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zones.id"], name=op.f("fk_procurement_intentions_zone_id_zones")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procurement_intentions")),
        sa.UniqueConstraint(
            "zone_id",
            "purchaser_name",
            "title",
            "expected_month",
            name=op.f("uq_procurement_intentions_known"),
        ),
    )
    with op.batch_alter_table("procurement_intentions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_procurement_intentions_published", ["zone_id", "published_on"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_procurement_intentions_purchaser_id"), ["purchaser_id"], unique=False
        )

    op.create_table(
        "procurement_rules",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "reserve_whole",
                "reserve_share",
                "reserve_small_share",
                "price_deduction",
                "consortium_deduction",
                "bid_deposit_most",
                "performance_deposit_most",
                "quality_deposit_most",
                name="procurementrulekind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "object",
            sa.Enum(
                "goods",
                "services",
                "works",
                name="procurementobject",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "favoured",
            sa.Enum(
                "all",
                "sme",
                "small_micro",
                name="favoured",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("low", sa.BigInteger(), nullable=True),
        sa.Column("high", sa.BigInteger(), nullable=True),
        sa.Column("amount_from", sa.BigInteger(), nullable=True),
        sa.Column("amount_to", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("issuer", sa.String(length=120), nullable=False),
        sa.Column("document", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_from >= 0", name=op.f("ck_procurement_rules_amount_from_sign")),
        sa.CheckConstraint(
            "amount_to > coalesce(amount_from, 0)", name=op.f("ck_procurement_rules_amount_order")
        ),
        sa.CheckConstraint(
            "high BETWEEN 0 AND 100000000 AND (low IS NULL OR high >= low)",
            name=op.f("ck_procurement_rules_high_range"),
        ),
        sa.CheckConstraint("low BETWEEN 0 AND 100000000", name=op.f("ck_procurement_rules_low_range")),
        sa.CheckConstraint(
            "low IS NOT NULL OR high IS NOT NULL", name=op.f("ck_procurement_rules_share_named")
        ),
        sa.CheckConstraint("valid_to >= valid_from", name=op.f("ck_procurement_rules_validity_order")),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name=op.f("fk_procurement_rules_recorded_by_users")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_procurement_rules_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procurement_rules")),
    )
    with op.batch_alter_table("procurement_rules", schema=None) as batch_op:
        batch_op.create_index(
            "uq_procurement_rules_nation",
            ["kind", "object", "favoured", "valid_from"],
            unique=True,
            sqlite_where=sa.text("zone_id IS NULL"),
            postgresql_where=sa.text("zone_id IS NULL"),
        )
        batch_op.create_index(
            "uq_procurement_rules_zone",
            ["zone_id", "kind", "object", "favoured", "valid_from"],
            unique=True,
            sqlite_where=sa.text("zone_id IS NOT NULL"),
            postgresql_where=sa.text("zone_id IS NOT NULL"),
        )

    op.create_table(
        "deposits",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "bid",
                "performance",
                "advance",
                "quality",
                name="depositkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "demanded",
                "paid",
                "asked",
                "guaranteed",
                "expired",
                "released",
                name="depositstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("award_notice_id", ID, nullable=True),
        sa.Column("project_number", sa.String(length=160), nullable=True),
        sa.Column("supplier_id", ID, nullable=False),
        sa.Column("purchaser_id", ID, nullable=True),
        sa.Column("purchaser_name", sa.String(length=300), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column(
            "form",
            sa.Enum(
                "cash", "guarantee", name="depositform", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("guarantor_id", ID, nullable=True),
        sa.Column("guarantee_number", sa.String(length=80), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("demanded_by", ID, nullable=False),
        sa.Column("demanded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'released') = (released_on IS NOT NULL)", name=op.f("ck_deposits_released_has_day")
        ),
        sa.CheckConstraint(
            "state <> 'asked' OR guarantor_id IS NOT NULL", name=op.f("ck_deposits_asked_names_guarantor")
        ),
        sa.CheckConstraint(
            "state <> 'paid' OR (form = 'cash' AND paid_on IS NOT NULL)",
            name=op.f("ck_deposits_paid_in_cash"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('guaranteed','expired') OR (form = 'guarantee' AND guarantor_id IS NOT NULL AND guarantee_number IS NOT NULL AND valid_until IS NOT NULL)",
            name=op.f("ck_deposits_guarantee_whole"),
        ),
        sa.CheckConstraint(
            "(contract_id IS NOT NULL) <> (award_notice_id IS NOT NULL) OR (contract_id IS NULL AND award_notice_id IS NULL AND project_number IS NOT NULL)",
            name=op.f("ck_deposits_secures_one_thing"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_deposits_amount_sign")),
        sa.CheckConstraint(
            "returned_on IS NULL OR paid_on IS NOT NULL", name=op.f("ck_deposits_returned_was_paid")
        ),
        sa.ForeignKeyConstraint(
            ["award_notice_id"], ["award_notices.id"], name=op.f("fk_deposits_award_notice_id_award_notices")
        ),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_deposits_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(["demanded_by"], ["users.id"], name=op.f("fk_deposits_demanded_by_users")),
        sa.ForeignKeyConstraint(
            ["guarantor_id"], ["organisations.id"], name=op.f("fk_deposits_guarantor_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["purchaser_id"], ["organisations.id"], name=op.f("fk_deposits_purchaser_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["organisations.id"], name=op.f("fk_deposits_supplier_id_organisations")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_deposits_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deposits")),
    )
    with op.batch_alter_table("deposits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deposits_award_notice_id"), ["award_notice_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deposits_contract_id"), ["contract_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deposits_guarantor_id"), ["guarantor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deposits_purchaser_id"), ["purchaser_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_deposits_supplier_id"), ["supplier_id"], unique=False)
        batch_op.create_index("ix_deposits_zone_state", ["zone_id", "state"], unique=False)
        batch_op.create_index(
            "uq_deposits_guarantee",
            ["guarantor_id", "guarantee_number"],
            unique=True,
            sqlite_where=sa.text("guarantee_number IS NOT NULL"),
            postgresql_where=sa.text("guarantee_number IS NOT NULL"),
        )

    op.create_table(
        "framework_agreements",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("evidence", sa.String(length=300), nullable=False),
        sa.Column("recorded_by", ID, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_because", sa.String(length=300), nullable=True),
        sa.Column("ended_by", ID, nullable=True),
        sa.CheckConstraint(
            "(ended_on IS NULL) = (ended_because IS NULL) AND (ended_on IS NULL) = (ended_by IS NULL)",
            name=op.f("ck_framework_agreements_ending_whole"),
        ),
        sa.CheckConstraint(
            "ended_on IS NULL OR ended_on <= valid_until", name=op.f("ck_framework_agreements_ended_early")
        ),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_framework_agreements_validity_order")),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["users.id"], name=op.f("fk_framework_agreements_ended_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_framework_agreements_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name=op.f("fk_framework_agreements_recorded_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["zone_id", "organisation_id"],
            ["memberships.zone_id", "memberships.organisation_id"],
            name=op.f("fk_framework_agreements_zone_id_organisation_id_memberships"),
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["zones.id"], name=op.f("fk_framework_agreements_zone_id_zones")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_framework_agreements")),
        sa.UniqueConstraint("zone_id", "number", name=op.f("uq_framework_agreements_zone_id_number")),
    )
    with op.batch_alter_table("framework_agreements", schema=None) as batch_op:
        batch_op.create_index(
            "ix_framework_agreements_institution", ["zone_id", "organisation_id", "valid_until"], unique=False
        )

    op.create_table(
        "procurement_watches",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("industries", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("keywords", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_procurement_watches_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["zone_id", "organisation_id"],
            ["memberships.zone_id", "memberships.organisation_id"],
            name=op.f("fk_procurement_watches_zone_id_organisation_id_memberships"),
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_procurement_watches_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procurement_watches")),
        sa.UniqueConstraint(
            "zone_id", "organisation_id", name=op.f("uq_procurement_watches_zone_id_organisation_id")
        ),
    )
    extend(_ZONES)
    _refuse_overlaps()
    _seed_rules()


def downgrade() -> None:
    """Take all of it out again."""
    restore(_ZONES)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER framework_agreements_apart ON framework_agreements")
        op.execute("DROP FUNCTION refuse_overlap()")
    for table in (
        "procurement_watches",
        "framework_agreements",
        "deposits",
        "procurement_rules",
        "procurement_intentions",
        "notices",
    ):
        op.drop_table(table)


def _refuse_overlaps() -> None:
    """Let the database refuse two framework agreements of one institution and zone that live at once."""
    if op.get_bind().dialect.name == "postgresql":
        # The seat is locked first, so that of two writers the second one sees what the first one wrote.
        op.execute(
            "CREATE FUNCTION refuse_overlap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM 1 FROM memberships WHERE zone_id = NEW.zone_id"
            " AND organisation_id = NEW.organisation_id FOR UPDATE;"
            f" IF EXISTS ({_OVERLAP}) THEN"
            " RAISE EXCEPTION 'framework agreements of one institution do not overlap'"
            " USING ERRCODE = '23P01', CONSTRAINT = 'framework_agreements_apart'; END IF;"
            " RETURN NEW; END $$"
        )
        op.execute(
            "CREATE TRIGGER framework_agreements_apart BEFORE INSERT OR UPDATE ON framework_agreements"
            " FOR EACH ROW EXECUTE FUNCTION refuse_overlap()"
        )
        return
    for verb in ("INSERT", "UPDATE"):
        # Before an insert SQLite has no number for the new row yet, so it looks afterwards.
        op.execute(
            f"CREATE TRIGGER framework_agreements_apart_{verb.lower()} AFTER {verb} ON framework_agreements"
            f" WHEN EXISTS ({_OVERLAP})"
            " BEGIN SELECT RAISE(ABORT, 'framework agreements of one institution do not overlap'); END"
        )


def _seed_rules() -> None:
    rules = sa.table(
        "procurement_rules",
        *(
            sa.column(name, sa.String())
            for name in ("kind", "object", "favoured", "issuer", "document", "source")
        ),
        *(sa.column(name, sa.BigInteger()) for name in ("low", "high", "amount_from", "amount_to")),
        *(sa.column(name, sa.Date()) for name in ("valid_from", "valid_to")),
        sa.column("recorded_at", sa.DateTime(timezone=True)),
    )
    op.bulk_insert(
        rules,
        [
            {
                "kind": rule.kind.value,
                "object": rule.object.value,
                "favoured": rule.favoured.value,
                "low": _scale(rule.low),
                "high": _scale(rule.high),
                "amount_from": rule.amount_from,
                "amount_to": rule.amount_to,
                "valid_from": rule.valid_from,
                "valid_to": rule.valid_to,
                "issuer": rule.issuer,
                "document": rule.document,
                "source": rule.source,
                # Shipped with the system: on record since its first day.
                "recorded_at": datetime(2019, 8, 20, tzinfo=UTC),
            }
            for rule in procurement_rules()
        ],
    )


def _scale(share: Decimal | None) -> int | None:
    return None if share is None else int(share * _SCALE)
