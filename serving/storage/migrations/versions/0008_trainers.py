"""Retrainings wait for a trainer: one at a time for each data set, how often each was begun, and the trainers' sign."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
FORMER = "uq_retrainings_active"  # by the convention below, where the database gave it no name, as SQLite does


def upgrade() -> None:
    """Replicas of an earlier version run what they enter at once, hence the default of one attempt."""
    constraints = sa.inspect(op.get_bind()).get_unique_constraints("retrainings")
    (former,) = (each["name"] or FORMER for each in constraints if each["column_names"] == ["active"])
    with op.batch_alter_table("retrainings", naming_convention={"uq": "uq_%(table_name)s_%(column_0_name)s"}) as table:
        table.drop_constraint(former, type_="unique")
        table.create_unique_constraint("uq_retrainings_dataset", ["dataset", "active"])
        table.add_column(sa.Column("attempts", sa.Integer, nullable=False, server_default="1"))
    op.create_table(
        "trainers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seen_at", sa.Double, nullable=False),
    )
