"""Answers that their owners share, by link."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """A table of its own, which replicas of an earlier version leave alone."""
    op.create_table(
        "shared_answers",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("shared_at", sa.Double, nullable=False),
        sa.Column("client", sa.String(16), nullable=False),
        sa.Column("network", sa.String(16), nullable=False),
        sa.Column("drawing", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("request_id", name="uq_shared_answers_request"),
    )
