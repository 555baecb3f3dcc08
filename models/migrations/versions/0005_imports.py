"""Imports that can be followed, cancelled and resumed, and what was said when

Revision: 0005, after 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.migrations.altering import ID, Change, extend, loosen, restore

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WIDE = sa.BigInteger()
_COUNTS = Change(
    "import_jobs",
    filled=[
        ("format", sa.String(length=32), "ocds"),
        ("state", sa.String(length=32), "running"),
        ("notices", sa.Integer(), "0"),
        ("notices_refused", sa.Integer(), "0"),
        ("bytes_read", _WIDE, "0"),
        ("parts", sa.Integer(), "0"),
        ("findings", sa.Integer(), "0"),
        ("run", sa.Integer(), "1"),
        ("cancel_requested", sa.Boolean(), sa.false()),
    ],
    empty=[("bytes_total", _WIDE), ("fingerprint", sa.String(length=64))],
)
#: After the jobs that are there were told apart.
_LAWS = Change(
    "import_jobs",
    checks=[
        ("ck_import_jobs_importformat", "format IN ('ocds', 'table')"),
        ("ck_import_jobs_importstate", "state IN ('waiting', 'running', 'done', 'cancelled', 'failed')"),
        ("ck_import_jobs_notices_sign", "notices >= 0 AND notices_refused >= 0"),
        (
            "ck_import_jobs_bytes_range",
            "bytes_read >= 0 AND (bytes_total IS NULL OR bytes_read <= bytes_total)",
        ),
        ("ck_import_jobs_position_sign", "parts >= 0 AND findings >= 0 AND run >= 1"),
        ("ck_import_jobs_end_has_time", "(state IN ('waiting', 'running')) = (finished_at IS NULL)"),
    ],
)
_SAID = (
    Change("contracts", empty=[("older_fields", sa.JSON(none_as_null=True))]),
    Change("purchaser_payments", empty=[("released_at", sa.DateTime(timezone=True))]),
    Change("award_notices", empty=[("released_at", sa.DateTime(timezone=True))]),
)


def upgrade() -> None:
    extend(_COUNTS)
    op.execute("UPDATE import_jobs SET state = 'done' WHERE finished_at IS NOT NULL")
    op.execute(
        "UPDATE import_jobs SET state = 'failed' WHERE finished_at IS NOT NULL AND failure IS NOT NULL"
    )
    extend(_LAWS)
    for change in _SAID:
        extend(change)
    op.create_table(
        "import_files",
        sa.Column("job_id", ID, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(content) > 0", name=op.f("ck_import_files_content_given")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["import_jobs.id"], name=op.f("fk_import_files_job_id_import_jobs")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_import_files")),
    )


def downgrade() -> None:
    op.drop_table("import_files")
    loosen(_LAWS)
    # What was never confirmed has left no trace that a former version could tell.
    op.execute("DELETE FROM import_jobs WHERE state = 'waiting'")
    for change in (_COUNTS, *_SAID):
        restore(change)
