"""A correction as the database keeps it, and databases of earlier versions."""

import dataclasses

import numpy as np
import sqlalchemy as sa

from serving.learning.contradictions import Judge
from serving.storage.corrections import Corrections
from serving.storage.database import Database, migrate
from serving.storage.records import Correction, CorrectionFilter, image_digest
from serving.storage.tables import corrections

NEWER = ("id", "network", "asked_at", "confirmed_at")  # fields that an earlier version does not write
BELIEVING = Judge(lambda images: np.full((len(images), 11), 1 / 11))
"""Finds no label implausible."""
SURE_OF_SEVEN = Judge(lambda images: np.tile(np.where(np.arange(11) == 7, 0.99, 0.001), (len(images), 1)))
"""Finds every label but 7 implausible."""


def correction(number, **changes):
    fields = {
        "dataset": "mnist",
        "source": "api",
        "client": "abc",
        "request_id": f"request-{number}",
        "position": 0,
        "model_version": "3",
        "given": "7",
        "confidence": 0.9,
        "proposed": "1",
        "image": number.to_bytes(4, "big") * 196,
        "made_at": 1000.0 + number,
    }
    return Correction(**fields | changes)


def older_database(engine):
    """As it was before there were corrections, with an answer in it."""
    migrate(engine, "0002")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO predictions (request_id, answered_at, source, verdict, label, confidence, milliseconds, "
            "model_version, model_sha256, client) VALUES ('request-1', 1, 'api', 'sure', '7', 0.9, 2, '3', 'abc', 'c')"
        )
    engine.dispose()


def check_corrections_without_a_network(url):
    """An earlier version has kept one in the database at `url`, and goes on doing so once this one has opened it."""
    engine = sa.create_engine(url)
    migrate(engine, "0004")

    def keep(number):
        row = dataclasses.asdict(correction(number, label="1"))
        row |= {"digest": image_digest(row["image"])}
        known = {name: value for name, value in row.items() if name not in NEWER}
        with engine.begin() as connection:
            connection.execute(sa.insert(corrections).values(known))

    keep(1)
    database = Database(url)
    kept = Corrections(database)
    kept.add([correction(3, network="net")])
    keep(2)
    assert [row.network for row in kept.search(CorrectionFilter("mnist"), 9)] == ["", "net", ""]
    assert kept.count(CorrectionFilter("mnist", network="net")) == 1
    database.close()
    engine.dispose()
