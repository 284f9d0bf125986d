"""Retraining where replicas can't train: they ask, a trainer beside them does it and is killed twice on the way.

What is trained is quick_retraining's, on part of the data and in three epochs; all else is as in compose.yaml."""

import os
import shutil
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
from playwright.sync_api import sync_playwright

from benchmarks.learning import extreme_ones
from benchmarks.open_loop import OpenLoop
from serving.learning.self_starting import start_if_due
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.retrainings import Retrainings
from settings import ROOT, Settings
from tests.helpers.cluster import OPERATOR_KEY, Cluster
from tests.helpers.corrections import correction
from tests.helpers.draw_page import FLAGS

PATIENCE = 1_200.0  # s, for a busy machine
RATE, SECONDS = 50, 200  # predictions a second meanwhile, and for how long
NOWHERE = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
KILLED_IN = [("preparing", "training"), ("training", "measuring")]  # attempts one and two, in the first stage seen


@pytest.fixture(scope="module")
def cluster():
    for program in ("nginx", "psql", "chromium"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (Debian: apt install nginx-light postgresql chromium)")
    if not (ROOT / "data" / "mnist.npz").exists():
        pytest.skip("MNIST is not cached in data/")
    cluster = Cluster(**NOWHERE)
    yield cluster
    cluster.stop()


@pytest.fixture
def database(cluster):
    database = Database.of(Settings(_env_file=None, database_url=cluster.settings("test")["DATABASE_URL"]))
    yield database
    database.close()


class KilledTrainer:
    """The service, which can be killed with all it has started, as a container is, and starts again as Compose does."""

    def __init__(self, cluster):
        self._environment = os.environ | cluster.settings("trainer") | {"DEMO_DATA_DIR": str(ROOT / "data")}
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.quick_trainer"], cwd=ROOT, env=self._environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self):
        for process in [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]:
            process.kill()
        self.process.wait()


def wait_for(condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not (result := condition()):
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.2)
    return result


def press_start(url):
    """As the operator does, in a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        page.request.get(f"{url}/operator?key={OPERATOR_KEY}", max_redirects=0)
        page.goto(url)
        page.get_by_role("tab", name="Retrain").click()
        page.get_by_role("button", name="Start retraining").click(timeout=1000 * PATIENCE)
        state = page.locator("#training-state")
        state.get_by_text("none has been seen yet").wait_for(timeout=1000 * PATIENCE)
        said = state.inner_text()
        browser.close()
    return said


def test_the_button_of_a_replica_leads_to_a_model_on_all_though_the_trainer_is_killed_twice(
    cluster, database, tmp_path, capsys
):
    images = extreme_ones(20, 1)
    rows = [correction(number, image=image.tobytes(), state="accepted") for number, image in enumerate(images)]
    Corrections(database).add(rows)
    assert "docker compose up --detach trainer" in press_start(cluster.url)
    assert Retrainings(database).latest().state == "queued"

    (tmp_path / "seven.png").write_bytes((ROOT / "docs" / "seven.png").read_bytes())
    trainer, began = KilledTrainer(cluster), time.monotonic()
    with OpenLoop(cluster.url, tmp_path, RATE, SECONDS) as load:
        try:
            for attempt, stages in enumerate(KILLED_IN, start=1):
                wait_for(lambda: (job := Retrainings(database).latest()).attempts == attempt and job.state in stages)  # noqa: B023
                trainer.kill()
                trainer.start()
            ended = wait_for(lambda: (job := Retrainings(database).latest()).is_active is False and job)
            assert (ended.state, ended.attempts) == ("promoted", 3), ended.reason
            wait_for(
                lambda: {cluster.get(each, "/api/model")["version"] for each in cluster.addresses} == {ended.version},
                60,
            )
        finally:
            trainer.kill()
        answers = load.result()
    promotions = cluster.get(cluster.url, "/api/production-log")["items"]
    assert [entry["by"] for entry in promotions].count("gate") == 1
    milliseconds = np.percentile([answer.milliseconds for answer in answers], 95)
    with capsys.disabled():
        seconds = time.monotonic() - began
        print(f"\nPromoted after {seconds:.0f} s and two kills; p95 {milliseconds:.0f} ms (n = {len(answers)})")
    assert {answer.status for answer in answers} == {200}


def test_in_postgresql_too_one_of_many_starts_by_itself(postgresql):
    settings = Settings(_env_file=None, database_url=postgresql, retrain_after=12)
    databases, results = [Database.of(settings) for _ in range(6)], []
    Corrections(databases[0]).add([correction(number, state="accepted") for number in range(12)])
    gate = threading.Barrier(len(databases))

    def start(database):
        gate.wait()
        results.append(start_if_due(settings, database, "mnist"))

    threads = [threading.Thread(target=start, args=[database]) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [Retrainings(database).take() for database in databases]
    for database in databases:
        database.close()
    assert sum(result is not None for result in results) == 1
    assert sum(job is not None for job in taken) == 1
