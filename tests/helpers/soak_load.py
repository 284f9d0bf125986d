"""Visitors and an operator at a page whose parts are killed meanwhile: what each of them was told."""

import http.client
import itertools
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchmarks.drawings import small

OPERATOR_KEY = "operator key of the soak"
PATIENCE = 60.0  # s for one answer
PAUSE = 0.02  # s between two requests of one visitor
RETRY = 0.1  # s after which one who found nobody asks again
READS = ("/api/history?limit=5", "/api/training-data", "/api/production-log", "/api/retrain/status", "/api/stats")
COMMANDS = ("/api/rollback", "/api/retrain/cancel")
drawings = itertools.count()  # seeds: no two rounds send the same drawing


@dataclass
class Told:
    """What was confirmed, by the id of its request: when, in time.monotonic(), and of a correction its label.
    outcomes: of every request, who asked and the status, 0 where there was no answer."""

    answers: dict[str, float] = field(default_factory=dict)
    corrections: dict[str, str] = field(default_factory=dict)
    outcomes: Counter[tuple[str, int]] = field(default_factory=Counter)


class SoakLoad:
    """Threads that ask until stop(): programs that have drawings read, a visitor who corrects every answer, and the
    operator."""

    def __init__(self, url: str, seed: int, programs: int = 3) -> None:
        self._netloc, self._ended, self.told = urlsplit(url).netloc, threading.Event(), Told()
        self._rng = random.Random(seed)  # noqa: S311 no secret
        self._pictures = small(80, next(drawings))
        kinds = [self._predict] * programs + [self._correct, self._operate]
        self._threads = [threading.Thread(target=self._repeat, args=[kind], daemon=True) for kind in kinds]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Told:
        """Let each get the answer it waits for."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        return self.told

    def _repeat(self, act) -> None:
        connection = http.client.HTTPConnection(self._netloc, timeout=PATIENCE)
        while not self._ended.wait(PAUSE):
            try:
                act(connection)
            except (OSError, http.client.HTTPException):
                self.told.outcomes[act.__name__, 0] += 1
                connection.close()
                time.sleep(RETRY)
        connection.close()

    def _ask(self, kind: str, connection, method: str, path: str, body: bytes | None = None, media: str = "image/png"):
        connection.request(method, path, body, {"Content-Type": media, "X-API-Key": OPERATOR_KEY})
        reply = connection.getresponse()
        content = reply.read()
        self.told.outcomes[kind, reply.status] += 1
        return json.loads(content) if reply.status == 200 else None

    def _read(self, connection, picture: bytes) -> str:
        """Have a drawing read. Return the id of the answer, empty without one."""
        answer = self._ask("_predict", connection, "POST", "/api/predict", picture)
        if answer is None:
            return ""
        self.told.answers[answer["id"]] = time.monotonic()
        return answer["id"]

    def _predict(self, connection) -> None:
        self._read(connection, self._pictures[0])

    def _correct(self, connection) -> None:
        if len(self._pictures) > 1 and (identity := self._read(connection, self._pictures.pop())):
            label = str(len(self._pictures) % 10)
            body = json.dumps({"id": identity, "label": label}).encode()
            if self._ask("_correct", connection, "POST", "/api/feedback", body, "application/json"):
                self.told.corrections[identity] = label

    def _operate(self, connection) -> None:
        if self._rng.random() < 0.1:
            self._ask("_operate", connection, "POST", self._rng.choice(COMMANDS), b"{}", "application/json")
        else:
            self._ask("_operate", connection, "GET", self._rng.choice(READS))
        self._ended.wait(10 * PAUSE)
