"""A database in which replicas of an earlier version keep answers under a verdict's former name."""

import sqlalchemy as sa

from serving.storage.database import Database, migrate
from serving.storage.history import History
from serving.storage.records import AnswerFilter
from serving.storage.tables import predictions
from tests.helpers.entries import entry


def check_both_names_of_a_verdict(url):
    """An earlier version has written into the database at `url`, and goes on doing so once this one has opened it."""
    engine = sa.create_engine(url)
    migrate(engine, "0004")
    add = sa.insert(predictions).values(answered_at=1.0, source="api", label="", confidence=0.0, milliseconds=2.0)
    add = add.values(model_version="3", model_sha256="abc", client="c")
    with engine.begin() as connection:
        connection.execute(add.values(request_id="before", verdict="not_a_digit"))
    database = Database(url)
    history = History(database)
    with engine.begin() as connection:
        assert connection.execute(sa.select(predictions.c.verdict)).scalars().all() == ["rejected"]
        connection.execute(add.values(request_id="after", verdict="not_a_digit"))
    history.add([entry(1, verdict="rejected"), entry(2)])
    assert {row.verdict for row in history.search(AnswerFilter(), 10)} == {"rejected", "sure"}
    assert history.find("after", 0).verdict == "rejected"
    assert history.tally(AnswerFilter(), "verdict") == {"rejected": 3, "sure": 1}
    for name in ("rejected", "not_a_digit"):
        matches = history.search(AnswerFilter(verdict=name), 10)
        assert [match.request_id for match in matches] == ["request-1", "after", "before"]
        assert history.count(AnswerFilter(verdict=name)) == 3
        assert history.tally(AnswerFilter(verdict=name), "verdict") == {"rejected": 3}
    assert history.count(AnswerFilter(verdict="sure")) == 1
    database.close()
    engine.dispose()
