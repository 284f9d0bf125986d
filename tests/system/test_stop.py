"""The page is stopped while it is asked: what was sent is answered and kept, and the program ends."""

import http.client
import json
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from settings import ROOT
from tests.helpers.demo_process import DemoProcess

SEVEN = (ROOT / "docs" / "seven.png").read_bytes()
BLANK = json.dumps({"data": [{"background": None, "layers": [], "composite": None}]})


class Client(threading.Thread):
    """Asks again and again until nobody listens any more, and counts what came of it."""

    def __init__(self, url, outcomes):
        super().__init__(daemon=True)
        self.netloc, self.outcomes, self.connection = urlsplit(url).netloc, outcomes, None

    def run(self):
        while True:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.netloc, timeout=30)
                try:
                    self.connection.connect()
                except ConnectionRefusedError:
                    return
            try:
                self.outcomes[type(self).__name__, self.ask()] += 1
            except (OSError, http.client.HTTPException) as error:
                self.outcomes[type(self).__name__, repr(error)] += 1
                self.end()

    def request(self, method, path, body=None, content_type="image/png"):
        self.connection.request(method, path, body, {"Content-Type": content_type})
        with self.connection.getresponse() as reply:
            content, last = reply.read(), reply.will_close
        if last:
            self.end()
        return reply.status, content

    def end(self):
        self.connection.close()
        self.connection = None

    def ask(self):
        return self.request("POST", "/api/predict", SEVEN)[0]


class OneRequestEach(Client):
    def ask(self):
        status = super().ask()
        if self.connection:
            self.end()
        return status


class PageVisitor(Client):
    """Has the page's function called, and asks for its result on the same connection."""

    def ask(self):
        status, content = self.request("POST", "/gradio_api/call/predict", BLANK, "application/json")
        if status != 200:
            return status
        status, stream = self.request("GET", f"/gradio_api/call/predict/{json.loads(content)['event_id']}")
        return status if b"event: complete" in stream else stream


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_was_sent_before_a_stop_is_answered_and_kept(how, tmp_path):
    page = DemoProcess(DATABASE_URL=f"sqlite:///{tmp_path / 'history.db'}", DEMO_RATE_LIMIT="off")
    outcomes = Counter()
    kinds = [Client] * 16 + [OneRequestEach] * 6 + [PageVisitor] * 4
    clients = [kind(page.url, outcomes) for kind in kinds]
    with closing(http.client.HTTPConnection(urlsplit(page.url).netloc)) as open_page:
        open_page.request("GET", "/gradio_api/heartbeat/session")
        for client in clients:
            client.start()
        while not all(outcomes[kind.__name__, 200] for kind in kinds):
            time.sleep(0.05)
        assert page.stop(how).endswith("Stopped.\nexit status 0\n")
    for client in clients:
        client.join(30)
    assert {outcome for _, outcome in outcomes} == {200}, outcomes
    with closing(sqlite3.connect(tmp_path / "history.db")) as history:
        (kept,) = history.execute("SELECT count(*) FROM predictions WHERE source = 'api'").fetchone()
    assert kept == outcomes["Client", 200] + outcomes["OneRequestEach", 200]


def test_a_second_signal_changes_nothing():
    page = DemoProcess()
    for _ in range(3):
        os.kill(page.pid, signal.SIGTERM)
    assert page.stop(signal.SIGHUP).endswith("Stopped.\nexit status 0\n")
