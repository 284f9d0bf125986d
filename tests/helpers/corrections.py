"""A correction as the database keeps it, and a database that has none yet."""

from serving.storage.database import migrate
from serving.storage.records import Correction


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
