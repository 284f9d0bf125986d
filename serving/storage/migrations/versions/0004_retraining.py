"""Retrainings, one at a time, and the Production log."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create both tables."""
    key = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "retrainings",
        sa.Column("id", key, primary_key=True),
        sa.Column("active", sa.Integer, unique=True),
        sa.Column("cancelled", sa.Boolean, nullable=False),
        sa.Column("dataset", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double),
        sa.Column("progress", sa.Float, nullable=False),
        sa.Column("remaining", sa.Float),
        sa.Column("corrections", sa.Integer, nullable=False),
        sa.Column("epochs", sa.JSON, nullable=False),
        sa.Column("log", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("differences", sa.JSON, nullable=False),
    )
    op.create_table(
        "promotions",
        sa.Column("id", key, primary_key=True),
        sa.Column("dataset", sa.String(32), nullable=False),
        sa.Column("version", sa.String(16), nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("data_digest", sa.String(64), nullable=False),
        sa.Column("corrections", sa.Integer, nullable=False),
        sa.UniqueConstraint("dataset", "version", "at", name="uq_promotions_moment"),
    )
