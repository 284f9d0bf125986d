"""The corrections in the database: pending until reviewed, then accepted as training data or dropped."""

import hashlib
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from experiments.data.specs import SPECS, Split
from serving.storage.database import Database, insert
from serving.storage.records import Correction, CorrectionFilter, ReviewState, image_digest
from serving.storage.tables import corrections, predictions

UNIQUE = ("dataset", "digest", "client")
COLUMNS = [column for column in corrections.c if column.name not in ("digest", "reviewed_at")]
REPLACED = [column.name for column in COLUMNS if column.name not in ("id", *UNIQUE, "image", "drawing")]
"""Columns that a client's later correction of the same image overwrites."""


class Corrections:
    """Thread-safe; replicas may share one database. None is ever deleted."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def add(self, added: Sequence[Correction]) -> int:
        """Insert these in one transaction, and mark the answers that they correct. A client's later correction of the
        same image replaces the earlier one until it is reviewed. Returns how many are new or changed."""
        statement = insert(self._engine, corrections)
        upsert = statement.on_conflict_do_update(
            index_elements=UNIQUE,
            set_={name: statement.excluded[name] for name in REPLACED},
            where=(corrections.c.state == "pending") | (statement.excluded.source == "upload"),
        ).returning(corrections.c.id)
        # One statement can't update a row twice: the last of the same image and client counts.
        rows = {(one.dataset, one.image, one.client): _row(one) for one in added}
        if not rows:
            return 0
        with self._engine.begin() as connection:
            count = len(connection.execute(upsert, list(rows.values())).all())
            for one in added:
                if one.source != "upload":
                    answer = (predictions.c.request_id == one.request_id, predictions.c.position == one.position)
                    corrected = one.proposed if one.proposed != one.given else None
                    connection.execute(sa.update(predictions).where(*answer).values(corrected=corrected))
        return count

    def search(self, where: CorrectionFilter, limit: int) -> list[Correction]:
        """Return the newest `limit` matching corrections, newest first."""
        query = sa.select(*COLUMNS).where(*_conditions(where)).order_by(corrections.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [Correction(**row) for row in connection.execute(query).mappings()]

    def count(self, where: CorrectionFilter) -> int:
        """Count the matching corrections."""
        query = sa.select(sa.func.count()).select_from(corrections).where(*_conditions(where))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def tally(self, where: CorrectionFilter, *names: str) -> dict[tuple[str, ...], int]:
        """Count the matching corrections by the values of these columns, most frequent first."""
        keys, number = [corrections.c[name] for name in names], sa.func.count()
        query = sa.select(*keys, number).where(*_conditions(where)).group_by(*keys).order_by(number.desc(), *keys)
        with self._engine.connect() as connection:
            return {tuple(values): count for *values, count in connection.execute(query)}

    def review(self, where: CorrectionFilter, state: ReviewState, label: str | None = None) -> int:
        """Accept or drop the matching corrections, relabelled if a label is given. Returns how many matched."""
        values: dict[str, Any] = {"state": state, "reviewed_at": time.time()}
        if label is not None:
            values["label"] = label
        with self._engine.begin() as connection:
            return connection.execute(sa.update(corrections).where(*_conditions(where)).values(values)).rowcount

    def known_digests(self, dataset: str) -> set[str]:
        """Return the digests of all images that are kept and not dropped."""
        undropped = (corrections.c.dataset == dataset, corrections.c.state != "dropped")
        with self._engine.connect() as connection:
            return set(connection.execute(sa.select(corrections.c.digest).where(*undropped)).scalars())

    def accepted(self, dataset: str) -> tuple[Split, str]:
        """Return all accepted images of a data set in order of arrival, and the SHA-256 of images and labels in
        hexadecimal."""
        columns, spec = corrections.c, SPECS[dataset]
        query = sa.select(columns.image, columns.label)
        query = query.where(columns.dataset == dataset, columns.state == "accepted").order_by(columns.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        labels = np.array([spec.class_names.index(row.label) for row in rows], np.int64)
        pixels = b"".join(row.image for row in rows)
        images = np.frombuffer(pixels, np.uint8).reshape(-1, *spec.image_shape)
        return Split(images, labels), hashlib.sha256(pixels + labels.tobytes()).hexdigest()


def _row(correction: Correction) -> dict[str, Any]:
    values = {column.name: getattr(correction, column.name) for column in COLUMNS if column.name != "id"}
    return values | {"label": correction.label or correction.proposed, "digest": image_digest(correction.image)}


def _conditions(where: CorrectionFilter) -> Iterable[sa.ColumnElement[bool]]:
    columns = corrections.c
    for name in ("dataset", "state", "label", "client", "given"):
        if (value := getattr(where, name)) is not None:
            yield columns[name] == value
    if where.above is not None:
        yield columns.confidence >= where.above
    if where.changed:
        yield columns.label != columns.given
    if where.ids is not None:
        yield columns.id.in_(where.ids)
    if where.before is not None:
        yield columns.id < where.before
