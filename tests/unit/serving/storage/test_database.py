import re
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from serving.core.guarded_calls import GuardedCalls
from serving.storage.database import BUSY_SECONDS, Database, is_away, wait_for_database
from serving.storage.history import History
from serving.storage.records import AnswerFilter, FullError, StoreError
from settings import sqlite_url
from tests.helpers.entries import entry


@pytest.mark.parametrize("existing", [False, True])
def test_the_database_and_what_sqlite_puts_beside_it_are_their_owners_alone(existing, tmp_path):
    path = tmp_path / "history.db"
    if existing:
        path.touch(0o644)
    database = Database(f"sqlite:///{path}")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE written (number INTEGER)")
        files = {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
    database.close()
    assert files == {f"history.db{ending}": "0o600" for ending in ("", "-wal", "-shm")}


def test_the_artifact_folder_is_made_its_owners_alone(settings, tmp_path):
    folder = tmp_path / "artifacts"
    database = Database.of(settings.model_copy(update={"artifact_dir": folder, "database_url": ""}))
    assert not folder.exists()  # it may never be needed
    _ = database.engine
    database.close()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_database_in_memory_makes_no_file(tmp_path):
    database = Database("sqlite://")
    assert database.engine.url.database is None
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ann:never-shown@127.0.0.1:1/digits?connect_timeout=2",
        "postgresql+psycopg://ann:never-shown@db.internal:port/digits",
        "ann:never-shown@db.internal",
        "sqlite:////nowhere/of/ann/history.db",
    ],
)
def test_why_it_can_not_be_opened_is_for_the_log_alone_and_said_once(url, caplog):
    database = Database(url)
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            _ = database.engine
        assert not {"ann", "127.0.0.1", "internal", "nowhere", "digits"} & set(re.findall(r"[\w.]+", str(caught.value)))
    assert [record.message[:29] for record in caplog.records] == ["The history can't be opened: "]
    assert "never-shown" not in caplog.text


def test_what_must_not_be_lost_waits_for_the_database():
    tries = iter([StoreError("away"), sa.exc.OperationalError("", {}, OSError()), None])

    def write():
        if error := next(tries):
            raise error
        return 7

    assert wait_for_database(write, pause=0.0) == 7
    for error in (ValueError(), sa.exc.IntegrityError("", {}, OSError())):
        tries = iter([error])
        with pytest.raises(type(error)):
            wait_for_database(write, pause=0.0)
    tries = iter([StoreError("away")])
    with pytest.raises(StoreError):
        wait_for_database(write, seconds=-1.0)


def test_a_folder_of_any_name_holds_the_database(settings, tmp_path):
    folder = tmp_path / "größe ünd 数字 #?%&'\" %20+;x=1@:"
    database = Database.of(settings.model_copy(update={"artifact_dir": folder, "database_url": ""}))
    History(database).add([entry(1)])
    database.close()
    assert {file.name for file in tmp_path.iterdir()} == {folder.name}
    assert (folder / "history.db").stat().st_size > 0


@pytest.mark.parametrize("url", ["postgres://ann@db/digits", "postgresql://ann@db/digits"])
def test_the_url_that_hosts_hand_out_names_the_driver(settings, url):
    named = Database.of(settings.model_copy(update={"database_url": url})).url
    assert named == "postgresql+psycopg://ann@db/digits"


def test_a_full_disk_is_told_and_keeps_nothing_half(tmp_path):
    database = Database(sqlite_url(tmp_path / "history.db"))
    calls = GuardedCalls("database", 4.0, StoreError, is_away)
    history = History(database)
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    @sa.event.listens_for(database.engine, "checkout")
    def _(connection, _record, _proxy):
        connection.execute(f"PRAGMA max_page_count={most}")

    most = pages
    entries = [entry(number, image=bytes(784)) for number in range(20)]
    with pytest.raises(FullError, match="disk of the history is full") as refused:
        calls.call_and_wait(lambda: history.add(entries))
    assert (refused.value.status, refused.value.code) == (507, "no_room")
    assert not calls.problem  # it answers: what is kept can be read
    assert history.count(AnswerFilter()) == 0
    most = 1_000_000
    history.add(entries)
    assert history.count(AnswerFilter()) == len(entries)
    calls.close()
    database.close()


def test_a_locked_file_is_a_database_that_is_away(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    calls = GuardedCalls("database", 1, StoreError, is_away)
    with closing(sqlite3.connect(tmp_path / "history.db")) as other:
        _ = database.engine
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database does not answer"):
            calls.call_and_wait(lambda: History(database).purge(1, 1))
    calls.close()
    database.close()


def test_a_call_waits_for_a_locked_file_no_longer_than_it_may_take(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")

    def busy_timeout():
        with database.engine.connect() as connection:
            return connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()

    assert busy_timeout() == 1000 * BUSY_SECONDS
    assert 0 < GuardedCalls("database", 4.0, StoreError, is_away).call_and_wait(busy_timeout) <= 4000
    assert busy_timeout() == 1000 * BUSY_SECONDS
    database.close()
