"""Lenders' monthly reports on contract loans

Revision: 0012, after 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.migrations.altering import ID, index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the reports, the standing one of a month and those it corrects."""
    op.create_table(
        "lender_reports",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("lender_id", ID, nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("submitted_by", ID, nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "month LIKE '20__-__' AND length(month) = 7", name=op.f("ck_lender_reports_month_written")
        ),
        sa.CheckConstraint("number >= 1 AND row_count >= 0", name=op.f("ck_lender_reports_counts_range")),
        sa.CheckConstraint(
            "(number = 1) = (reason IS NULL)", name=op.f("ck_lender_reports_correction_has_reason")
        ),
        sa.CheckConstraint("length(seal) = 64", name=op.f("ck_lender_reports_seal_length")),
        sa.ForeignKeyConstraint(
            ["zone_id", "lender_id"],
            ["memberships.zone_id", "memberships.organisation_id"],
            name=op.f("fk_lender_reports_zone_id_lender_id_memberships"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_lender_reports_{column}_{table}")
            )
            for column, table in (
                ("zone_id", "zones"),
                ("lender_id", "organisations"),
                ("submitted_by", "users"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lender_reports")),
        sa.UniqueConstraint(
            "zone_id",
            "lender_id",
            "month",
            "number",
            name=op.f("uq_lender_reports_zone_id_lender_id_month_number"),
        ),
    )
    index(
        "lender_reports",
        "uq_lender_reports_standing",
        ["zone_id", "lender_id", "month"],
        unique=True,
        where="superseded_at IS NULL",
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_index("uq_lender_reports_standing", "lender_reports")
    op.drop_table("lender_reports")
