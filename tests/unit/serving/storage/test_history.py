import dataclasses
import sqlite3
import time

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from serving.storage.database import Database, migrate
from serving.storage.history import History
from serving.storage.records import AnswerFilter, StoreError
from serving.storage.tables import METADATA, predictions
from tests.helpers.entries import entry
from tests.helpers.former_verdict import check_both_names_of_a_verdict


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'history.db'}"


@pytest.fixture
def history(url):
    database = Database(url)
    yield History(database)
    database.close()


def ids(entries):
    return [row.request_id for row in entries]


def test_what_was_kept_is_found_newest_first_and_outlives_the_process(history, url):
    history.add([entry(1), entry(2)])
    history.add([entry(3, image=None)])
    reopened = Database(url)
    again = History(reopened)
    entries = again.search(AnswerFilter(), 10)
    reopened.close()
    assert ids(entries) == ["request-3", "request-2", "request-1"]
    assert dataclasses.replace(entries[-1], id=None) == entry(1)
    assert entries[0].image is None


def test_a_repeated_request_is_recorded_once(history):
    history.add([entry(1), entry(1, position=1)])
    history.add([entry(1, label="other"), entry(2)])
    assert [(row.request_id, row.label) for row in history.search(AnswerFilter(), 10)] == [
        ("request-2", "2"), ("request-1", "1"), ("request-1", "1")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (AnswerFilter(), [5, 4, 3, 2, 1]),
        (AnswerFilter(verdict="unsure"), [5]),
        (AnswerFilter(label="2"), [2]),
        (AnswerFilter(source="page"), [3]),
        (AnswerFilter(dataset="cifar10"), [1]),
        (AnswerFilter(model_version="4"), [4]),
        (AnswerFilter(client="other"), [2]),
        (AnswerFilter(since=1002.0, until=1004.0), [3, 2]),
        (AnswerFilter(label="2", verdict="unsure"), []),
    ],
)
def test_filters_choose(history, where, numbers):
    changes = {
        1: {"dataset": "cifar10"}, 2: {"client": "other"}, 3: {"source": "page"},
        4: {"model_version": "4"}, 5: {"verdict": "unsure"},
    }  # fmt: skip
    history.add([entry(number, **some) for number, some in changes.items()])
    assert ids(history.search(where, 10)) == [f"request-{number}" for number in numbers]
    assert history.count(where) == len(numbers)


def test_pages_follow_one_another(history):
    history.add([entry(number) for number in range(5)])
    first = history.search(AnswerFilter(), 2)
    second = history.search(AnswerFilter(before=first[-1].id), 10)
    assert ids(first + second) == [f"request-{number}" for number in (4, 3, 2, 1, 0)]


def test_answers_are_tallied(history):
    history.add([entry(1), entry(11), entry(2, verdict="unsure")])
    assert history.tally(AnswerFilter(), "label") == {"1": 2, "2": 1}
    assert history.tally(AnswerFilter(label="2"), "verdict") == {"unsure": 1}
    assert history.hourly(AnswerFilter(label="1"), "label") == {(0.0, "1"): 2}


def test_purge_bounds_age_and_number_but_keeps_what_was_corrected(history):
    now = time.time()
    history.add([entry(number, answered_at=0.0) for number in range(3)])
    history.add([entry(9, answered_at=0.0, corrected="7")])
    history.add([entry(number, answered_at=now) for number in range(20, 30)])
    assert history.purge(days=1, rows=100) == 3
    assert history.purge(days=1, rows=4) == 6
    assert ids(history.search(AnswerFilter(), 100)) == [
        *(f"request-{number}" for number in (29, 28, 27, 26)),
        "request-9",
    ]
    assert history.purge(days=0, rows=0) == 4
    assert ids(history.search(AnswerFilter(), 100)) == ["request-9"]


def test_the_file_lies_with_the_artifacts_and_a_server_is_named_by_its_url(settings, tmp_path):
    local = settings.model_copy(update={"artifact_dir": tmp_path / "artifacts"})
    assert Database.of(local).url == f"sqlite:///{tmp_path / 'artifacts' / 'history.db'}"
    server = local.model_copy(update={"database_url": "postgresql://ann:secret@db/digits"})
    assert Database.of(server).url == "postgresql+psycopg://ann:secret@db/digits"


def test_sqlite_writes_ahead_so_that_readers_never_wait(history, url):
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_database_that_is_away_is_named_without_its_password():
    with pytest.raises(StoreError, match="DATABASE_URL") as error:
        History(Database("postgresql+psycopg://ann:secret@127.0.0.1:1/digits"))
    assert "secret" not in str(error.value)


def test_a_rejected_answer_is_found_under_the_former_name_of_its_verdict_too(url):
    check_both_names_of_a_verdict(url)


def old_database(url, revision, statement):
    engine = sa.create_engine(url)
    migrate(engine, revision)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_an_older_database_keeps_its_answers_through_the_migrations(url):
    columns = (
        "request_id, answered_at, source, verdict, label, confidence, milliseconds, model_version, model_sha256, "
        "client, image"
    )
    rows = [
        f"('{request}', {at}, 'api', 'sure', '{label}', 0.9, 2, '3', 'abc', 'c', x'00ff')"
        for request, at, label in (("one", 1, "7"), ("one", 2, "8"), ("two", 3, "9"))
    ]
    old_database(url, "0001", f"INSERT INTO predictions ({columns}) VALUES {', '.join(rows)}")  # noqa: S608
    database = Database(url)
    history = History(database)
    rows = history.search(AnswerFilter(), 10)
    database.close()
    assert [(row.request_id, row.label, row.position, row.dataset, row.corrected) for row in rows] == [
        ("two", "9", 0, "mnist", None), ("one", "7", 0, "mnist", None)
    ]  # fmt: skip
    assert rows[0].image == b"\x00\xff"


def test_the_migrations_lead_to_the_tables_of_the_code(history, url):
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    names = {index["name"] for index in sa.inspect(engine).get_indexes("predictions")}
    engine.dispose()
    assert {index.name for index in predictions.indexes} <= names


def test_a_number_is_kept_with_the_images_of_its_digits(history, url):
    digits = bytes(number for number in range(3) for _ in range(784))
    history.add([entry(1, label="42\n1", image=digits), entry(2), entry(3, image=None)])
    none, one, kept = history.search(AnswerFilter(), 9)
    assert (kept.label, kept.image, one.image, none.image) == ("42\n1", digits, bytes(784), None)
    assert history.find("request-1", 0) == kept
    assert [ids(history.search(AnswerFilter(label=label), 9)) for label in ("42 1", "42\n1", "42", "421")] == [
        ["request-1"], ["request-1"], [], []
    ]  # fmt: skip


def test_replicas_of_an_earlier_version_find_a_number_without_an_image_and_go_on_writing(history, url):
    history.add([entry(1, label="4" * 300, image=bytes(200 * 784))])
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        row = connection.execute(sa.select(predictions)).mappings().one()
        assert (row["image"], len(row["label"])) == (None, 300)
        assert len(row["digits"]) < 2_000
        row = {name: value for name, value in row.items() if name not in ("id", "digits")}
        connection.execute(sa.insert(predictions).values(row | {"request_id": "earlier", "image": bytes(784)}))
    engine.dispose()
    assert history.search(AnswerFilter(), 1)[0].image == bytes(784)


def test_an_older_database_takes_numbers_and_keeps_what_it_has(url):
    columns = (
        "request_id, position, answered_at, source, dataset, verdict, label, confidence, milliseconds, model_version, "
        "model_sha256, client, image, corrected"
    )
    values = "'one', 0, 1, 'api', 'mnist', 'sure', '7', 0.9, 2, '3', 'abc', 'c', x'00ff', '1'"
    old_database(url, "0006", f"INSERT INTO predictions ({columns}) VALUES ({values})")  # noqa: S608
    database = Database(url)
    history = History(database)
    history.add([entry(2, label="42", image=bytes(2 * 784))])
    number, one = history.search(AnswerFilter(), 9)
    assert (number.label, len(number.image), one.id) == ("42", 1568, 1)
    assert (one.label, one.image, one.corrected) == ("7", b"\x00\xff", "1")
    history.add([entry(2, label="43")])
    assert history.count(AnswerFilter()) == 2
    database.close()
