"""The exchange with finance bureaus

Revision: 0007, after 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.migrations.altering import Change, extend, loosen, restore

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_CONTRACTS = Change(
    "contracts",
    empty=[
        ("project_number", sa.String(length=160)),
        ("plan_number", sa.String(length=160)),
        ("package_number", sa.String(length=80)),
        ("prepayment_ratio", sa.BigInteger()),
        ("budget_unit_code", sa.String(length=40)),
        ("funding_source", sa.String(length=80)),
        ("agency", sa.String(length=300)),
        ("delivered_on", sa.Date()),
    ],
    checks=[("ck_contracts_prepayment_ratio_range", "prepayment_ratio BETWEEN 0 AND 100000000")],
)


def upgrade() -> None:
    """What contracts say beside; leave to read, links to bureaus, pulls, and reports of lenders."""
    op.create_table(
        "bureau_links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("base_url", sa.String(length=200), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["users.id"], name=op.f("fk_bureau_links_changed_by_users")),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_bureau_links_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bureau_links")),
        sa.UniqueConstraint("zone_id", "base_url", name=op.f("uq_bureau_links_zone_id_base_url")),
    )
    op.create_table(
        "data_consents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("firm_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("institution_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "scope",
            sa.Enum(
                "contracts",
                "payments",
                name="consentscope",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("given_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("ck_data_consents_revocation_whole")
        ),
        sa.ForeignKeyConstraint(
            ["firm_id"], ["organisations.id"], name=op.f("fk_data_consents_firm_id_organisations")
        ),
        sa.ForeignKeyConstraint(["given_by"], ["users.id"], name=op.f("fk_data_consents_given_by_users")),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["organisations.id"],
            name=op.f("fk_data_consents_institution_id_organisations"),
        ),
        sa.ForeignKeyConstraint(["revoked_by"], ["users.id"], name=op.f("fk_data_consents_revoked_by_users")),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_data_consents_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_consents")),
    )
    with op.batch_alter_table("data_consents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_data_consents_firm_id"), ["firm_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_data_consents_institution_id"), ["institution_id"], unique=False)
        batch_op.create_index(
            "uq_data_consents_all",
            ["zone_id", "firm_id"],
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL AND institution_id IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL AND institution_id IS NULL"),
        )
        batch_op.create_index(
            "uq_data_consents_named",
            ["zone_id", "firm_id", "institution_id"],
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        )

    op.create_table(
        "bureau_pulls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("link_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "awards",
                "contracts",
                "payments",
                name="bureaukind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("rejections", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("failure", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "failure IS NULL OR finished_at IS NOT NULL", name=op.f("ck_bureau_pulls_failed_is_over")
        ),
        sa.CheckConstraint(
            "imported >= 0 AND updated >= 0 AND rejected >= 0", name=op.f("ck_bureau_pulls_counts_sign")
        ),
        sa.ForeignKeyConstraint(
            ["link_id"], ["bureau_links.id"], name=op.f("fk_bureau_pulls_link_id_bureau_links")
        ),
        sa.ForeignKeyConstraint(["started_by"], ["users.id"], name=op.f("fk_bureau_pulls_started_by_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bureau_pulls")),
    )
    with op.batch_alter_table("bureau_pulls", schema=None) as batch_op:
        batch_op.create_index("ix_bureau_pulls_link_kind_day", ["link_id", "kind", "day"], unique=False)

    op.create_table(
        "repayment_reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contract_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bank_code", sa.String(length=40), nullable=True),
        sa.Column("financed_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("last_paid_on", sa.Date(), nullable=True),
        sa.Column("differences", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("reported_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "returned = 0 OR last_paid_on IS NOT NULL", name=op.f("ck_repayment_reports_returned_has_day")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_repayment_reports_amount_sign")),
        sa.CheckConstraint("ends_on >= financed_on", name=op.f("ck_repayment_reports_ends_after_start")),
        sa.CheckConstraint(
            "last_paid_on IS NULL OR last_paid_on >= financed_on",
            name=op.f("ck_repayment_reports_paid_after_start"),
        ),
        sa.CheckConstraint("returned >= 0", name=op.f("ck_repayment_reports_returned_sign")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_repayment_reports_contract_id_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["lender_id"], ["organisations.id"], name=op.f("fk_repayment_reports_lender_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["reported_by"], ["users.id"], name=op.f("fk_repayment_reports_reported_by_users")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_repayment_reports_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repayment_reports")),
    )
    with op.batch_alter_table("repayment_reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_repayment_reports_contract_id"), ["contract_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_repayment_reports_lender_id"), ["lender_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_repayment_reports_zone_id"), ["zone_id"], unique=False)

    extend(_CONTRACTS)
    op.create_index("ix_contracts_zone_id_updated_at", "contracts", ["zone_id", "updated_at"])


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_contracts_zone_id_updated_at", "contracts")
    loosen(_CONTRACTS)
    restore(_CONTRACTS)

    with op.batch_alter_table("repayment_reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_repayment_reports_zone_id"))
        batch_op.drop_index(batch_op.f("ix_repayment_reports_lender_id"))
        batch_op.drop_index(batch_op.f("ix_repayment_reports_contract_id"))

    op.drop_table("repayment_reports")
    with op.batch_alter_table("bureau_pulls", schema=None) as batch_op:
        batch_op.drop_index("ix_bureau_pulls_link_kind_day")

    op.drop_table("bureau_pulls")
    with op.batch_alter_table("data_consents", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_data_consents_named",
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        )
        batch_op.drop_index(
            "uq_data_consents_all",
            sqlite_where=sa.text("revoked_at IS NULL AND institution_id IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL AND institution_id IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_data_consents_institution_id"))
        batch_op.drop_index(batch_op.f("ix_data_consents_firm_id"))

    op.drop_table("data_consents")
    op.drop_table("bureau_links")
