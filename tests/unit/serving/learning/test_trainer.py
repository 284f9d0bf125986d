import contextlib
import json
import os
import signal
import threading
import time

import psutil
import pytest

from serving.core.guarded_calls import GuardedCalls
from serving.learning import trainer
from serving.learning.retraining_requests import start_retraining
from serving.learning.trainer import Trainer
from serving.storage.database import is_away
from serving.storage.records import StoreError
from serving.storage.retrainings import Retrainings

SHOW = ("-c", "import json, os, sys; print(json.dumps([sys.argv, os.environ['DEMO_ARTIFACT_DIR']]))")
"""Stands for a retraining: prints what it was started with."""
WAIT = ("-c", "import time; time.sleep(600)")
PATIENCE = 60.0  # s


@pytest.fixture
def calls():
    calls = GuardedCalls("database", 30.0, StoreError, is_away)
    yield calls
    calls.close()


@pytest.fixture
def make(fresh_settings, database, calls):
    made = []

    def make(command, **changes):
        made.append(Trainer(fresh_settings.model_copy(update=changes), database, calls, command, poll_seconds=0.05))
        return made[-1]

    yield make
    for each in made:
        each.put_back()


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.02)
    return result


def children():
    waiting = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            waiting += [child] if child.cmdline()[1:3] == [*WAIT] else []
    return waiting


def test_what_is_asked_for_is_started_with_its_number_and_the_same_settings(fresh_settings, database, make):
    asked = Retrainings(database).request("mnist", 12)
    make(SHOW).look()
    assert Retrainings(database).get(asked.id).state == "starting"
    printed = wait_for((fresh_settings.artifact_dir / trainer.LOG).read_bytes)
    words = ["-c", "--dataset", "mnist", "--attempt", "1", "--job", str(asked.id)]
    assert json.loads(printed) == [words, str(fresh_settings.artifact_dir)]


def test_it_does_one_at_a_time(database, make):
    retrainings, busy = Retrainings(database), make(WAIT)
    retrainings.request("mnist", 12)
    second = retrainings.request("cifar10", 12)
    busy.look()
    busy.look()
    assert retrainings.get(second.id).state == "queued"
    make(SHOW).look()  # another has room
    assert retrainings.get(second.id).state == "starting"


def test_a_retraining_that_others_starve_is_not_taken_for_lost(database, make):
    retrainings, starved = Retrainings(database), make(WAIT)
    asked = retrainings.request("mnist", 12)
    starved.look()
    begun = retrainings.get(asked.id).seen_at
    wait_for(lambda: time.time() > begun)
    starved.look()
    assert retrainings.get(asked.id).seen_at > begun
    (child,) = wait_for(children)
    child.kill()
    wait_for(lambda: not child.is_running())
    ended = retrainings.get(asked.id).seen_at
    starved.look()
    assert retrainings.get(asked.id).seen_at == ended


def test_it_waits_until_what_trains_is_installed(fresh_settings, database, calls):
    asked = Retrainings(database).request("mnist", 12)
    Trainer(fresh_settings, database, calls, SHOW, packages=("numpy", "no-such-package")).look()
    assert Retrainings(database).get(asked.id).state == "queued"


def test_what_is_put_back_waits_again_and_its_process_is_gone(database, make):
    retrainings, stopped = Retrainings(database), make(WAIT)
    asked = retrainings.request("mnist", 12)
    stopped.look()
    (child,) = wait_for(children)
    stopped.put_back()
    assert not child.is_running()
    assert retrainings.get(asked.id).state == "queued"
    stopped.put_back()
    assert retrainings.take().attempts == 1


def test_a_service_alone_shows_itself(database, make):
    make(SHOW).look()
    assert Retrainings(database).trainer_seen_at() is None
    make(SHOW, trainer="service").look()
    assert Retrainings(database).trainer_seen_at() > time.time() - PATIENCE


def test_a_process_that_can_not_be_started_fails_in_words(fresh_settings, database, make):
    asked = Retrainings(database).request("mnist", 12)
    (fresh_settings.artifact_dir / trainer.LOG).mkdir()
    make(SHOW).look()
    ended = Retrainings(database).get(asked.id)
    assert ended.state == "failed"
    assert ended.reason.startswith("The process could not be started: ")


def test_without_a_database_it_looks_again(fresh_settings, database, calls, caplog, tmp_path):
    (tmp_path / "file").touch()
    away = type(database)(f"sqlite:///{tmp_path / 'file' / 'history.db'}")
    Trainer(fresh_settings, away, calls, SHOW).look()
    assert "Traceback" not in caplog.text


def test_a_request_on_the_page_is_taken_up_at_once(opened, classifier, fresh_settings, accepted):
    services = opened(classifier, fresh_settings)
    slow = Trainer(fresh_settings, services.database, services.database_calls, SHOW, poll_seconds=600.0)
    thread = threading.Thread(target=slow.run, args=[services.closed, services.retraining_requested])
    thread.start()
    asked = start_retraining(services, "mnist")
    wait_for(lambda: services.retrainings.get(asked.id).state == "starting")
    services.closed.set()
    services.retraining_requested.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_where_a_service_retrains_the_page_does_not(opened, classifier, fresh_settings, accepted):
    services = opened(classifier, fresh_settings.model_copy(update={"trainer": "service"}))
    asked = start_retraining(services, "mnist")
    trainer.follow_requests(services)
    assert services.retrainings.get(asked.id).state == "queued"


def test_the_service_stops_on_a_signal_and_puts_back_what_it_does(fresh_settings, database, capsys):
    retrainings = Retrainings(database)
    asked = retrainings.request("mnist", 12)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop():
        try:
            wait_for(children)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        trainer.serve(fresh_settings, WAIT)
    finally:
        stopper.join()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert retrainings.get(asked.id).state == "queued"
    assert (fresh_settings.artifact_dir / trainer.SIGN).exists()
    assert capsys.readouterr().out.splitlines()[-1] == "Stopped."


def test_the_other_process_gets_the_same_settings(fresh_settings):
    environment = trainer.environment_of(fresh_settings.model_copy(update={"operator_key": "", "drawn_strokes": None}))
    assert environment["DEMO_ARTIFACT_DIR"] == str(fresh_settings.artifact_dir)
    assert environment["DRAWN_STROKES"] == ""
    assert {type(value) for value in environment.values()} == {str}
