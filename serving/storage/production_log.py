"""The Production log in the database: MLflow keeps no history of what was in Production."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from serving.storage.database import Database, insert
from serving.storage.records import ProductionEntry
from serving.storage.tables import promotions

if TYPE_CHECKING:
    from experiments.registry.promotions import Promotion

SAME = 1e-4  # s; earlier versions of the project kept the time of a promotion without rounding it
COLUMNS = [column for column in promotions.c if column.name != "id"]


class ProductionLog:
    """The log. The registry has a promotion history of its own; each reader adds what is missing here."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def add_missing(self, dataset: str, history: "list[Promotion]") -> None:
        """Insert the promotions that are not here yet. Idempotent."""
        if not history:
            return
        query = sa.select(promotions.c.version, promotions.c.at).where(promotions.c.dataset == dataset)
        with self._engine.begin() as connection:
            known = connection.execute(query).all()
            rows = [
                {"dataset": dataset, **asdict(promotion)}
                for promotion in history
                if not any(version == promotion.version and abs(at - promotion.at) < SAME for version, at in known)
            ]
            if rows:
                connection.execute(insert(self._engine, promotions).on_conflict_do_nothing(), rows)

    def entries(self, dataset: str, limit: int = 200) -> list[ProductionEntry]:
        """Return the log, newest first."""
        query = sa.select(*COLUMNS).where(promotions.c.dataset == dataset).order_by(promotions.c.at.desc())
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(limit)).mappings().all()
        ends = [None, *(row["at"] for row in rows)]
        return [ProductionEntry(until=until, **row) for row, until in zip(rows, ends, strict=False)]
