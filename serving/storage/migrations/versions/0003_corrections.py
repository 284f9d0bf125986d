"""Corrections, pending until they are reviewed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("dataset", sa.String(32), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("client", sa.String(16), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("model_version", sa.String(16), nullable=False),
        sa.Column("given", sa.String(32), nullable=False),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("proposed", sa.String(32), nullable=False),
        sa.Column("label", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reviewed_at", sa.Double),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("image", sa.LargeBinary, nullable=False),
        sa.Column("drawing", sa.LargeBinary),
        sa.UniqueConstraint("dataset", "digest", "client", name="uq_corrections_image"),
    )
    op.create_index("ix_corrections_state", "corrections", ["dataset", "state"])
