"""Run by Alembic: brings the database up to date, within the transaction of the given connection."""

import sqlalchemy as sa
from alembic import context

from serving.storage.records import FORMER_REJECTED
from serving.storage.tables import METADATA, predictions

connection: sa.Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA)
context.run_migrations()
# At every opening, not once by a revision: replicas of an earlier version may go on writing the former name.
connection.execute(sa.update(predictions).where(predictions.c.verdict == FORMER_REJECTED).values(verdict="rejected"))
