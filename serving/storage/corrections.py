"""The corrections in the database: pending until reviewed, then accepted as training data or dropped."""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import sqlalchemy as sa

from experiments.data.specs import SPECS, Split
from serving.storage.database import Database, insert
from serving.storage.records import Correction, CorrectionFilter, ReviewState, image_digest
from serving.storage.tables import corrections, predictions

UNIQUE = ("dataset", "digest", "client")
COLUMNS = [column for column in corrections.c if column.name not in ("digest", "reviewed_at")]
CHUNK = 1_000  # ids of one statement: databases bound the number of its values
REPLACED = [column.name for column in COLUMNS if column.name not in ("id", *UNIQUE, "image", "drawing")]
"""Columns that a client's later correction of the same image overwrites."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images with the labels that people gave them, in order of arrival. ids: int64 [N]. asked, confirmed: float64 [N],
    when the operator was asked about the label, and said that it is right: seconds since 1970, nan if not."""

    ids: np.ndarray
    data: Split
    clients: np.ndarray
    asked: np.ndarray
    confirmed: np.ndarray

    def take(self, rows: np.ndarray) -> Self:
        """Select by index or by a mask."""
        data = Split(self.data.images[rows], self.data.labels[rows])
        return type(self)(self.ids[rows], data, self.clients[rows], self.asked[rows], self.confirmed[rows])

    @property
    def unanswered(self) -> np.ndarray:
        """Which ones the operator was asked about and has not answered for, bool [N]."""
        unanswered: np.ndarray = ~np.isnan(self.asked) & np.isnan(self.confirmed)
        return unanswered

    @property
    def digest(self) -> str:
        """SHA-256 of images and labels in hexadecimal."""
        return hashlib.sha256(self.data.images.tobytes() + self.data.labels.tobytes()).hexdigest()


class Corrections:
    """Thread-safe; replicas may share one database. None is ever deleted."""

    def __init__(self, database: Database) -> None:
        """Opens the database if it is not open. Raises StoreError."""
        self._engine = database.engine

    def add(self, added: Sequence[Correction], number: str | None = None) -> int:
        """Insert these in one transaction, and mark the answers that they correct. A client's later correction of the
        same image replaces the earlier one until it is reviewed. number: the right text of the answer whose digits
        these are. Returns how many are new or changed."""
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
            for (request_id, position), corrected in _corrected(added, number).items():
                answer = (predictions.c.request_id == request_id, predictions.c.position == position)
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
            values |= {"label": label, "asked_at": None, "confirmed_at": None}  # a question was about the former one
        with self._engine.begin() as connection:
            return connection.execute(sa.update(corrections).where(*_conditions(where)).values(values)).rowcount

    def known_digests(self, dataset: str) -> set[str]:
        """Return the digests of all images that are kept and not dropped."""
        undropped = (corrections.c.dataset == dataset, corrections.c.state != "dropped")
        with self._engine.connect() as connection:
            return set(connection.execute(sa.select(corrections.c.digest).where(*undropped)).scalars())

    def labelled(
        self, dataset: str, *states: ReviewState, ids: Sequence[int] | None = None, limit: int | None = None
    ) -> Labelled:
        """Return the images in these states, of these ids if they are given, the newest `limit` of them."""
        columns, spec = corrections.c, SPECS[dataset]
        query = sa.select(
            columns.id, columns.image, columns.label, columns.client, columns.asked_at, columns.confirmed_at
        ).where(*_conditions(CorrectionFilter(dataset, ids=ids)), columns.state.in_(states))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(columns.id.desc()).limit(limit)).all()[::-1]
        labels = np.array([spec.class_names.index(row.label) for row in rows], np.int64)
        images = np.frombuffer(b"".join(row.image for row in rows), np.uint8).reshape(-1, *spec.image_shape)
        return Labelled(
            ids=np.array([row.id for row in rows], np.int64),
            data=Split(images, labels),
            clients=np.array([row.client for row in rows], str),
            asked=np.array([row.asked_at for row in rows], float),
            confirmed=np.array([row.confirmed_at for row in rows], float),
        )

    def accepted(self, dataset: str) -> tuple[Split, str]:
        """Return all accepted images of a data set but those with an unanswered question, in order of arrival, and the
        SHA-256 of images and labels in hexadecimal."""
        accepted = self.labelled(dataset, "accepted")
        learnable = accepted.take(~accepted.unanswered)
        return learnable.data, learnable.digest

    def ask(self, ids: Sequence[int]) -> None:
        """Note that the operator is asked about the labels of these."""
        self._update(ids, corrections.c.asked_at.is_(None), asked_at=time.time())

    def answer(self, ids: Sequence[int], right: bool) -> int:
        """Accept the labels that the operator was asked about, or drop the corrections. Returns how many there were."""
        now = time.time()
        values = {"state": "accepted", "confirmed_at": now} if right else {"state": "dropped"}
        return self._update(ids, corrections.c.asked_at.is_not(None), reviewed_at=now, **values)

    def _update(self, ids: Sequence[int], where: sa.ColumnElement[bool], **values: Any) -> int:
        """Change those of these that are not dropped. Returns how many there were."""
        undropped = (corrections.c.state != "dropped", where)
        changed = 0
        with self._engine.begin() as connection:
            for start in range(0, len(ids), CHUNK):
                matching = corrections.c.id.in_(ids[start : start + CHUNK])
                changed += connection.execute(
                    sa.update(corrections).where(matching, *undropped).values(values)
                ).rowcount
        return changed


def _corrected(added: Sequence[Correction], number: str | None) -> dict[tuple[str, int], str | None]:
    """Request and position of the answers that these are about -> the right label; None where it was given."""
    labels: dict[tuple[str, int], str | None] = {}
    for one in added:
        if one.source != "upload":
            key = (one.request_id, one.position)
            changed = (number or one.proposed) if one.proposed != one.given else None
            labels[key] = changed or (labels.get(key) if number else None)
    return labels


def _row(correction: Correction) -> dict[str, Any]:
    values = {column.name: getattr(correction, column.name) for column in COLUMNS if column.name != "id"}
    return values | {"label": correction.label or correction.proposed, "digest": image_digest(correction.image)}


def _conditions(where: CorrectionFilter) -> Iterable[sa.ColumnElement[bool]]:
    columns = corrections.c
    for name in ("dataset", "state", "label", "client", "network", "given"):
        if (value := getattr(where, name)) is not None:
            yield columns[name] == value
    if where.above is not None:
        yield columns.confidence >= where.above
    if where.changed:
        yield columns.label != columns.given
    if where.unanswered:
        yield columns.asked_at.is_not(None) & columns.confirmed_at.is_(None)
    if where.since is not None:
        yield sa.or_(*(moment > where.since for moment in (columns.made_at, columns.reviewed_at, columns.confirmed_at)))
    if where.ids is not None:
        yield columns.id.in_(where.ids)
    if where.before is not None:
        yield columns.id < where.before
