import logging
import subprocess
import sys
import threading
import time

import pytest

from serving.core.guarded_calls import GuardedCalls
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.recorder import BATCH, PURGE_INTERVAL, Recorder
from serving.storage.records import AnswerFilter, StoreError
from settings import ROOT
from tests.helpers.entries import entry


class FakeHistory:
    """Keeps lists; fails as long as `failing`."""

    def __init__(self):
        self.kept, self.purged, self.failing, self.tries = [], [], False, 0

    def add(self, entries):
        self.tries += 1
        if self.failing:
            raise OSError("the disk is full")
        self.kept.extend(entries)

    def purge(self, days, rows):
        self.purged.append((days, rows))

    def ping(self):
        self.tries += 1
        if self.failing:
            raise OSError("the disk is full")


def calls():
    return GuardedCalls("database", 60, StoreError)


@pytest.fixture
def history():
    return FakeHistory()


@pytest.fixture
def recorder(history):
    recorder = Recorder(calls(), lambda: history, days=3, rows=7, interval=0.01)
    yield recorder
    recorder.close()


def wait_for(condition):
    deadline = time.monotonic() + 60  # s, for a busy machine
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_answers_are_stored_soon_in_their_order(recorder, history):
    recorder.add([entry(1), entry(2)])
    recorder.add([entry(3)])
    wait_for(lambda: len(history.kept) == 3)
    assert history.kept == [entry(1), entry(2), entry(3)]


def test_the_end_stores_what_waits(history):
    recorder = Recorder(calls(), lambda: history, days=3, rows=7)
    recorder.add(entry(number) for number in range(2500))
    recorder.close()
    assert len(history.kept) == 2500


def test_the_bounds_are_kept_without_being_asked_at_the_start_and_then_again(history):
    now = 5.0  # s, on a machine that has just started
    asked = []

    def clock():
        asked.append(now)
        return now

    recorder = Recorder(calls(), lambda: history, days=3, rows=7, interval=0.01, clock=clock)
    wait_for(lambda: len(asked) > 5)
    assert history.purged == [(3, 7)]
    now += PURGE_INTERVAL + 1
    wait_for(lambda: len(history.purged) > 1)
    recorder.close()
    assert history.purged == [(3, 7)] * 2


def test_while_the_database_is_away_answers_wait_and_one_line_says_so(recorder, history, caplog):
    history.failing = True
    recorder.add([entry(1), entry(2)])
    for _ in range(3):
        with pytest.raises(OSError, match="full"):
            recorder.flush()
    with caplog.at_level(logging.ERROR):
        wait_for(lambda: "disk is full" in caplog.text)
    tried = history.tries
    wait_for(lambda: history.tries > tried + 3)
    assert caplog.text.count("disk is full") == 1
    history.failing = False
    recorder.flush()
    assert history.kept == [entry(1), entry(2)]


def test_a_full_disk_is_a_problem_until_there_is_room_again(recorder, history, caplog):
    history.failing = True
    recorder.add([entry(1)])
    wait_for(lambda: "disk is full" in recorder.problem)
    history.failing = False
    wait_for(lambda: not recorder.problem)
    assert "The history is written again." in caplog.text
    assert history.kept == [entry(1)]


def test_adding_never_waits_for_the_database(history):
    opened = threading.Event()

    def slow():
        opened.wait()
        return history

    recorder = Recorder(calls(), slow, days=3, rows=7)
    recorder.add([entry(1)])
    opened.set()
    recorder.close()
    assert history.kept == [entry(1)]


def test_while_nothing_is_to_be_written_it_is_asked_whether_the_database_is_there(history, caplog):
    guarded = GuardedCalls("database", 60, StoreError, lambda error: isinstance(error, OSError))
    history.failing = True
    recorder = Recorder(guarded, lambda: history, days=3, rows=7, interval=0.01)
    wait_for(lambda: guarded.problem)
    history.failing = False
    wait_for(lambda: not guarded.problem)
    recorder.close()
    assert caplog.text.count("The database is away: the disk is full") == 1
    assert history.kept == []


def test_the_end_does_not_wait_for_a_database_that_hangs_and_says_what_is_lost(history, caplog):
    guarded, end = GuardedCalls("database", 60, StoreError), threading.Event()
    history.add = lambda _: end.wait()
    recorder = Recorder(guarded, lambda: history, days=3, rows=7, interval=0.01)
    recorder.add([entry(1), entry(2)])
    wait_for(lambda: not recorder._pending)
    recorder.add([entry(3)])
    recorder.close()
    assert "3 answers are not in the history" in caplog.text
    end.set()


def test_the_settings_choose_the_store_or_none(settings, tmp_path):
    own = settings.model_copy(update={"artifact_dir": tmp_path, "history_days": 100_000})
    database = Database.of(own)
    assert Recorder.of(own.model_copy(update={"history": False}), database, calls()) is None
    recorder = Recorder.of(own, database, calls())
    recorder.add([entry(1)])
    recorder.flush()
    assert recorder.history.count(AnswerFilter()) == 1
    recorder.close()
    database.close()
    assert (tmp_path / "history.db").is_file()


KILLED = """
import sys, time
from serving.core.guarded_calls import GuardedCalls
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.recorder import Recorder
from serving.storage.records import StoreError
from tests.helpers.entries import entry

calls = GuardedCalls("database", 60, StoreError)
recorder = Recorder(calls, lambda: History(Database(sys.argv[1])), days=100_000, rows=100_000)
number = 0
while True:
    recorder.add([entry(number)])
    print(number, flush=True)
    number += 1
    time.sleep(0.01)
"""


def test_what_was_answered_a_while_before_a_kill_is_there(tmp_path):
    url = f"sqlite:///{tmp_path / 'history.db'}"
    process = subprocess.Popen([sys.executable, "-c", KILLED, url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) == 50:
            break
    wait_for(lambda: (tmp_path / "history.db").exists() and count(url) > 0)
    stored = int(process.stdout.readline())
    wait_for(lambda: count(url) > stored)
    process.kill()
    process.wait()
    process.stdout.close()
    assert count(url) > stored


def count(url):
    database = Database(url)
    history = History(database)
    number = history.count(AnswerFilter())
    database.close()
    return number


def test_while_many_answers_wait_numbers_wait_without_their_images(history, recorder):
    history.failing = True
    page = bytes(200 * 784)
    recorder.add([entry(0, image=page), *(entry(number) for number in range(1, BATCH)), entry(BATCH, image=page)])
    history.failing = False
    wait_for(lambda: len(history.kept) == BATCH + 1)
    by_request = {one.request_id: one.image for one in history.kept}
    assert by_request["request-0"] == page
    assert by_request["request-1"] == bytes(784)
    assert by_request[f"request-{BATCH}"] is None
