"""Numbers: longer labels, and the images of their digits."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """A column of their own for the images, since replicas of an earlier version expect a single one in the other."""
    with op.batch_alter_table("predictions") as table:
        table.alter_column("label", existing_type=sa.String(32), type_=sa.String(300), existing_nullable=False)
        table.alter_column("corrected", existing_type=sa.String(32), type_=sa.String(300), existing_nullable=True)
        table.add_column(sa.Column("digits", sa.LargeBinary))
