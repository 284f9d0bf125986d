"""Run by Alembic: brings the database of the connection it is given up to date, inside that transaction."""

from alembic import context

from serving.storage.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
