"""The corrections in the database: in quarantine until reviewed, and what was accepted as training data."""

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

SAME = ("id", "dataset", "digest", "client")
COLUMNS = [column for column in corrections.c if column.name not in ("digest", "reviewed_at")]


class Corrections:
    """Safe to use from any thread; replicas may share one database. None is ever deleted."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def add(self, sent: Sequence[Correction]) -> int:
        """Keep these in one transaction, all or none, and mark the answers that they correct. Who corrects an image
        again replaces what they said, until it is reviewed. Returns how many are new or changed."""
        add = insert(self._engine, corrections)
        changed = [column.name for column in COLUMNS if column.name not in (*SAME, "image", "drawing")]
        upsert = add.on_conflict_do_update(
            index_elements=SAME[1:],
            set_={name: add.excluded[name] for name in changed},
            where=(corrections.c.state == "pending") | (add.excluded.source == "upload"),
        ).returning(corrections.c.id)
        rows = {(each.dataset, each.image, each.client): _row(each) for each in sent}  # the last of the same
        with self._engine.begin() as connection:
            count = len(connection.execute(upsert, list(rows.values())).all())
            for each in sent:
                if each.source != "upload":
                    answer = (predictions.c.request_id == each.request_id, predictions.c.position == each.position)
                    corrected = each.proposed if each.proposed != each.given else None
                    connection.execute(sa.update(predictions).where(*answer).values(corrected=corrected))
        return count

    def search(self, wanted: CorrectionFilter, limit: int) -> list[Correction]:
        """The newest `limit` that match, newest first."""
        query = sa.select(*COLUMNS).where(*_conditions(wanted)).order_by(corrections.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [Correction(**row) for row in connection.execute(query).mappings()]

    def count(self, wanted: CorrectionFilter) -> int:
        """How many match."""
        query = sa.select(sa.func.count()).select_from(corrections).where(*_conditions(wanted))
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def tally(self, wanted: CorrectionFilter, *names: str) -> dict[tuple[str, ...], int]:
        """How many match, by the values of these columns, most first."""
        keys, number = [corrections.c[name] for name in names], sa.func.count()
        query = sa.select(*keys, number).where(*_conditions(wanted)).group_by(*keys).order_by(number.desc(), *keys)
        with self._engine.connect() as connection:
            return {tuple(values): count for *values, count in connection.execute(query)}

    def review(self, wanted: CorrectionFilter, state: ReviewState, label: str | None = None) -> int:
        """Accept or drop what matches, with another label if one is given. Returns how many there were."""
        values: dict[str, Any] = {"state": state, "reviewed_at": time.time()}
        if label is not None:
            values["label"] = label
        with self._engine.begin() as connection:
            return connection.execute(sa.update(corrections).where(*_conditions(wanted)).values(values)).rowcount

    def known_digests(self, dataset: str) -> set[str]:
        """The digests of all images that are kept and not dropped."""
        query = sa.select(corrections.c.digest).where(
            corrections.c.dataset == dataset, corrections.c.state != "dropped"
        )
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def accepted(self, dataset: str) -> tuple[Split, str]:
        """All that was accepted for a data set, in the order of its arrival, and the SHA-256 of images and labels, in
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
    fields = {column.name: getattr(correction, column.name) for column in COLUMNS if column.name != "id"}
    return fields | {"label": correction.label or correction.proposed, "digest": image_digest(correction.image)}


def _conditions(wanted: CorrectionFilter) -> Iterable[sa.ColumnElement[bool]]:
    columns = corrections.c
    for name in ("dataset", "state", "label", "client", "given"):
        if (value := getattr(wanted, name)) is not None:
            yield columns[name] == value
    if wanted.above is not None:
        yield columns.confidence >= wanted.above
    if wanted.changed:
        yield columns.label != columns.given
    if wanted.ids is not None:
        yield columns.id.in_(wanted.ids)
    if wanted.before is not None:
        yield columns.id < wanted.before
