"""When the operator was asked about a correction's label, and confirmed it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add both columns; none of the earlier corrections was asked about."""
    for name in ("asked_at", "confirmed_at"):
        op.add_column("corrections", sa.Column(name, sa.Double))
