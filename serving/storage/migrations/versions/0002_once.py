"""Unique requests, even when a proxy repeats them; batches; data sets; corrected labels."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Existing rows are MNIST's; of those that share a request the first stays."""
    op.execute(
        "DELETE FROM predictions WHERE id NOT IN (SELECT first FROM "
        "(SELECT MIN(id) AS first FROM predictions GROUP BY request_id) AS kept)"
    )
    with op.batch_alter_table("predictions") as table:
        table.add_column(sa.Column("position", sa.Integer, nullable=False, server_default="0"))
        table.add_column(sa.Column("dataset", sa.String(32), nullable=False, server_default="mnist"))
        table.add_column(sa.Column("corrected", sa.String(32)))
        table.create_unique_constraint("uq_predictions_request", ["request_id", "position"])
