"""The network that a correction came from."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Of existing rows it isn't known, nor of what replicas of an earlier version go on writing."""
    op.add_column("corrections", sa.Column("network", sa.String(16), nullable=False, server_default=""))
