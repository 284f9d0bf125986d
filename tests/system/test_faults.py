"""The page while its PostgreSQL or its MLflow server hangs, is down or is slow: who wants answers notices nothing."""

import signal
import time
from contextlib import contextmanager

import httpx
import pytest

from benchmarks import drawings
from benchmarks.faulty_system import FAULTS, KEY, Fault, FaultySystem
from settings import ROOT
from tests.helpers.bystander import Bystander
from tests.helpers.demo_process import DemoProcess

RATE, SECONDS = 15, 4  # predictions a second with each fault
FORM = {"files": ("seven.png", (ROOT / "docs" / "seven.png").read_bytes())}
PATIENCE = 60.0  # s
PROMPTLY = 3.0  # s, on a busy machine; what waits for a database or MLflow waits for longer


EXPECTED = {"database hangs": {"503"}, "database down": {"503"}, "database slow": {"200", "503"}}
# Without the seconds that a server takes to start again.
DOWN = Fault(lambda system: system.proxies["mlflow"].close(), lambda system: system.proxies["mlflow"].open())


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    drawings.write(folder / "png")
    try:
        with FaultySystem(folder, RATE, SECONDS) as system:
            yield system
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def page(system):
    with system.page(slow=["database", "mlflow"]):
        yield system


@contextmanager
def happening(system, fault):
    fault = DOWN if fault == "MLflow down" else FAULTS[fault]
    fault.begin(system)
    try:
        yield
    finally:
        fault.end(system)


@pytest.mark.parametrize("fault", FAULTS)
def test_visitors_notice_nothing_of_a_fault_and_what_was_confirmed_is_kept(page, fault):
    with happening(page, fault), Bystander(page.url) as visitor:
        period = page.load()
        multipart = httpx.post(f"{page.url}/api/predict", files=FORM, timeout=PROMPTLY, trust_env=False)
        operator = httpx.get(f"{page.url}/api/stats", headers=KEY, timeout=30, trust_env=False)
    assert {answer.status for answer in period.answers} == {200}
    assert (visitor.failures, all(period.ready), multipart.status_code) == ([], True, 200)
    assert {sent.message[:3] for sent in period.corrections} <= EXPECTED.get(fault, {"200"})
    assert operator.status_code == 200
    assert page.wait_until_recovered([period]) is not None
    stats = httpx.get(f"{page.url}/api/stats", headers=KEY, timeout=30, trust_env=False).json()
    assert (stats["database"], stats["registry"]) == (True, True)


def test_a_page_that_starts_while_both_hang_answers_takes_them_up_later_and_stops_while_they_hang(system):
    system.postgres.create("at_start")
    with happening(system, "database hangs"), happening(system, "MLflow hangs"):
        page = DemoProcess(
            DATABASE_URL=f"{system.postgres.url}/at_start",
            MLFLOW_TRACKING_URI=f"http://127.0.0.1:{system.mlflow_port}",
            DEMO_OPERATOR_KEY=KEY["X-API-Key"],
        )
        with Bystander(page.url) as visitor:
            assert error_of(page, "api/production-log") == (503, "no_registry")
            assert error_of(page, "api/history") == (503, "no_history")
    end = time.monotonic() + PATIENCE
    while httpx.get(f"{page.url}api/model", trust_env=False).json()["source"] != "registry" or not kept(page):
        assert time.monotonic() < end
        time.sleep(0.2)
    with happening(system, "database hangs"), happening(system, "MLflow hangs"):
        httpx.post(f"{page.url}api/predict", files=FORM, timeout=PATIENCE, trust_env=False).raise_for_status()
        printed = page.stop(signal.SIGTERM)
    assert visitor.failures == []
    assert "Stopped." in printed, printed  # the log, which says what is lost, is written beside it
    assert printed.endswith("exit status 0\n"), printed


def kept(page):
    return httpx.get(f"{page.url}api/stats", headers=KEY, timeout=PATIENCE, trust_env=False).json()["history"]


def error_of(page, path):
    reply = httpx.get(page.url + path, headers=KEY, timeout=PATIENCE, trust_env=False)
    return reply.status_code, reply.json()["error"]["code"]
