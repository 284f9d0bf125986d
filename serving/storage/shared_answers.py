"""The answers that their owners share, by link, in the database. The history's purge takes them along."""

import sqlalchemy as sa

from serving.storage.database import Database, insert
from serving.storage.records import SharedAnswer
from serving.storage.tables import shared_answers


class SharedAnswers:
    """Thread-safe; replicas may share one database."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def add(self, shared: SharedAnswer) -> str:
        """Insert it, and return its token: the earlier one of an answer that is shared already."""
        row = {column.name: getattr(shared, column.name) for column in shared_answers.c}
        same = shared_answers.c.request_id == shared.request_id
        with self._engine.begin() as connection:
            connection.execute(insert(self._engine, shared_answers).on_conflict_do_nothing(), row)
            token: str = connection.execute(sa.select(shared_answers.c.token).where(same)).scalar_one()
        return token

    def find(self, token: str) -> SharedAnswer | None:
        """Return the shared answer of a token; None if there is none."""
        query = sa.select(shared_answers).where(shared_answers.c.token == token)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else SharedAnswer(**row)

    def count(self, client: str | None = None, network: str | None = None) -> int:
        """Count those of a client or of a network, or all."""
        query = sa.select(sa.func.count()).select_from(shared_answers)
        if client is not None:
            query = query.where(shared_answers.c.client == client)
        if network is not None:
            query = query.where(shared_answers.c.network == network)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()
