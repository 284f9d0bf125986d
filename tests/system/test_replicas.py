"""Three replicas behind nginx, one MLflow server and one PostgreSQL, as compose.yaml has them."""

import http.client
import json
import shutil
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

import httpx
import pytest

from settings import ROOT
from tests.helpers.cluster import OPERATOR_KEY, Cluster
from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import open_draw_page

SEVEN = (ROOT / "docs" / "seven.png").read_bytes()
PROMISED = 10.0  # s within which a promotion reaches every replica, as docs/operations.md says
PATIENCE = 60.0  # s


@pytest.fixture(scope="module")
def cluster():
    for program in ("nginx", "psql"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (Debian: apt install nginx-light postgresql)")
    cluster = Cluster()
    yield cluster
    cluster.stop()


class Load:
    """Threads that ask for predictions through nginx until stop(); `answers` holds status and label of each."""

    def __init__(self, url, threads=8):
        self._host, self._ended, self.answers = urlsplit(url).netloc, threading.Event(), []
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()
        return self.answers

    def _ask(self):
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        while not self._ended.is_set():
            try:
                connection.request("POST", "/api/predict", SEVEN, {"Content-Type": "image/png"})
                reply = connection.getresponse()
                self.answers.append((reply.status, json.loads(reply.read()).get("label")))
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.answers.append((0, repr(error)))
                connection.close()
        connection.close()


def wait_for(condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.2)


def asked(cluster):
    """How many predictions each replica has answered, by what nginx logged."""
    lines = [json.loads(line) for line in cluster.nginx.log.read_text().splitlines() if line.startswith("{")]
    answered = [line["replica"].split(", ")[-1] for line in lines if line["path"] == "/api/predict"]
    return Counter(f"http://{replica}" for replica in answered)


def kept(cluster, address):
    return cluster.get(address, "/api/history?limit=1")["total"]


def test_a_cookie_of_the_operators_is_taken_by_every_replica(cluster):
    given = httpx.get(f"{cluster.url}/operator", params={"key": OPERATOR_KEY}, timeout=PATIENCE)
    cookie = given.headers["set-cookie"].partition(";")[0]
    for address in cluster.addresses:
        for headers, status in (({"Cookie": cookie}, 200), ({}, 401)):
            assert httpx.get(f"{address}/api/stats", headers=headers, timeout=PATIENCE).status_code == status
    assert "key=" not in cluster.nginx.log.read_text()


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed (Debian: apt install chromium)")
def test_the_page_works_through_nginx(cluster):
    with open_draw_page(shutil.which("chromium"), cluster.url, viewport={"width": 390, "height": 1400}) as page:
        for digit in "47":
            page.draw(DIGITS[digit])
            assert page.submit() == digit
            page.start_afresh("Clear")
        page.live.check()
        page.draw(DIGITS["1"])
        page.wait_for(lambda: page.answer.all_inner_texts() == ["1"])


def test_the_load_is_spread_evenly_and_every_replica_sees_one_history(cluster):
    before, earlier = kept(cluster, cluster.url), asked(cluster)
    load = Load(cluster.url)
    wait_for(lambda: len(load.answers) >= 300)
    answers = load.stop()
    assert set(answers) == {(200, "7")}
    wait_for(lambda: (asked(cluster) - earlier).total() == len(answers))
    spread = asked(cluster) - earlier
    assert set(spread) == set(cluster.addresses)
    assert min(spread.values()) > 0.9 * max(spread.values())
    for address in cluster.addresses:
        wait_for(lambda: kept(cluster, address) == before + len(answers))  # noqa: B023


def test_the_death_of_a_replica_under_load_loses_no_answer_and_it_rejoins(cluster):
    earlier = kept(cluster, cluster.url)
    load = Load(cluster.url)
    wait_for(lambda: len(load.answers) >= 100)
    cluster.replicas[1].kill()
    reached = len(load.answers)
    wait_for(lambda: len(load.answers) >= reached + 300)
    cluster.replicas[1].start()
    before = asked(cluster)[cluster.addresses[1]]
    wait_for(lambda: asked(cluster)[cluster.addresses[1]] >= before + 20)
    answers = load.stop()
    assert Counter(answers) == {(200, "7"): len(answers)}
    time.sleep(2)  # the history is written twice a second
    assert kept(cluster, cluster.url) - earlier <= len(answers), "an answer that was asked for twice is kept once"


def test_a_promotion_and_a_rollback_reach_every_replica(cluster):
    def versions():
        return {cluster.get(address, "/api/model")["version"] for address in cluster.addresses}

    assert versions() == {"1"}
    promote = ("-m", "experiments", "promote", cluster.next_version, "--reason", "to be seen everywhere")
    cluster.run(*promote, folder="training")
    wait_for(lambda: versions() == {cluster.next_version}, PROMISED)

    load = Load(cluster.url)
    assert cluster.post("/api/rollback", {"reason": "regret"}) == {"dataset": "mnist", "version": "1"}
    wait_for(lambda: versions() == {"1"}, PROMISED)
    assert {status for status, _ in load.stop()} == {200}, "a rollback fails no request in flight"
    for address in cluster.addresses:
        log = cluster.get(address, "/api/production-log")["items"]
        assert [(line["version"], line["by"]) for line in log[:2]] == [
            ("1", "rollback"),
            (cluster.next_version, "hand"),
        ]


def test_a_visitor_without_the_key_sees_no_history(cluster):
    connection = http.client.HTTPConnection(urlsplit(cluster.url).netloc, timeout=PATIENCE)
    connection.request("GET", "/api/history")
    reply = connection.getresponse()
    assert reply.status == 401
    assert json.loads(reply.read())["error"]["hint"]
    connection.close()
