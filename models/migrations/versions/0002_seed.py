"""The default zone and the published loan prime rates

Revision: 0002, after 0001
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from alembic import op

from market.reference import lpr_table

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SCALE = 10**8


def upgrade() -> None:
    """Seed what every marketplace starts with; whatever is there already stays."""
    zones = sa.table(
        "zones",
        sa.column("code", sa.String),
        sa.column("name_zh", sa.String),
        sa.column("name_en", sa.String),
        sa.column("is_default", sa.Boolean),
        sa.column("is_sandbox", sa.Boolean),
        sa.column("clock_offset_seconds", sa.Integer),
        sa.column("minimum_bids", sa.Integer),
        sa.column("acceptance_days", sa.Integer),
        sa.column("matching_times", sa.String),
        sa.column("created_at", sa.DateTime(timezone=True)),
    )
    op.bulk_insert(
        zones,
        [
            {
                "code": "default",
                "name_zh": "高新区",
                "name_en": "High-tech zone",
                "is_default": True,
                "is_sandbox": False,
                "clock_offset_seconds": 0,
                "minimum_bids": 3,
                "acceptance_days": 3,
                "matching_times": "10:00",
                # The zone exists since before any of its rows can be dated.
                "created_at": datetime(2019, 8, 20, tzinfo=UTC),
            }
        ],
    )
    rows = sa.table(
        "lpr_rows",
        sa.column("published_on", sa.Date),
        sa.column("one_year", sa.BigInteger),
        sa.column("five_year", sa.BigInteger),
    )
    op.bulk_insert(
        rows,
        [
            {
                "published_on": row.published_on,
                "one_year": _scale(row.one_year),
                "five_year": _scale(row.five_year),
            }
            for row in lpr_table().rows
        ],
    )


def downgrade() -> None:
    """Take the seeded rows out again, unless the market already leans on the zone."""
    op.execute("DELETE FROM lpr_rows")
    op.execute("DELETE FROM zones WHERE code = 'default' AND id NOT IN (SELECT zone_id FROM memberships)")


def _scale(rate: Decimal) -> int:
    return int(rate * _SCALE)
