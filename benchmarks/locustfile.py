"""Users of the load tests, people and programs: `locust -f benchmarks/locustfile.py ApiUser --host URL`.

BENCH_DRAWINGS names the folder of drawings (`python -m benchmarks.drawings FOLDER` fills one). Each answer counts once,
as `answer`, whatever requests it takes; 429 is counted apart, as `answer refused (429)`.
"""

import io
import itertools
import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from locust import FastHttpUser, between, constant, constant_pacing, task

ANSWER = "answer"
BATCH = 100  # pictures of a batch user's zip
PACE = 5  # requests a second


class _Drawings:
    """The drawings in turn, shared by all users and read when the first one asks."""

    def __init__(self) -> None:
        self._files: list[bytes] = []
        self._next = itertools.count()

    def take(self) -> bytes:
        if not self._files:
            self._files = [file.read_bytes() for file in sorted(Path(os.environ["BENCH_DRAWINGS"]).iterdir())]
        return self._files[next(self._next) % len(self._files)]


DRAWINGS = _Drawings()


class _User(FastHttpUser):
    abstract = True
    connection_timeout = network_timeout = 60.0

    def post(self, path: str, data: bytes, kind: str, fault: Callable[[Any], str] | None = None) -> None:
        """Send one request that counts as an answer. `fault` says what is wrong with a 200, or ""."""
        headers = {"Content-Type": kind}
        with self.client.post(path, data=data, headers=headers, name=ANSWER, catch_response=True) as reply:
            if reply.status_code == 429:
                reply.request_meta["name"] = f"{ANSWER} refused (429)"
                reply.success()
            elif reply.status_code != 200:
                reply.failure(f"status {reply.status_code}: {(reply.text or '')[:200]}")
            elif fault and (message := fault(reply.json())):
                reply.failure(message)


class ApiUser(_User):
    """A program that sends the next request as soon as it is answered."""

    wait_time = constant(0)

    @task
    def predict(self) -> None:
        """Send one drawing as a PNG."""
        self.post("/api/predict", DRAWINGS.take(), "image/png")


class ThinkingApiUser(ApiUser):
    """A program that pauses for about a second."""

    weight = 35
    wait_time = between(0.5, 1.5)


class PacedApiUser(ApiUser):
    """A program that sends PACE requests a second, if it is answered that fast."""

    wait_time = constant_pacing(1 / PACE)


class BatchUser(_User):
    """A program that sends zips."""

    weight = 1
    wait_time = between(2, 6)

    @task
    def batch(self) -> None:
        """Send BATCH drawings; each has to be answered."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for number in range(BATCH):
                archive.writestr(f"{number}.png", DRAWINGS.take())
        self.post("/api/predict/batch", buffer.getvalue(), "application/zip", _unanswered)


def _unanswered(content: dict[str, Any]) -> str:
    return "" if all(result["reading"] for result in content["results"]) else "a picture of the batch was not answered"


class MlflowUser(_User):
    """A program that calls `mlflow models serve` with drawings preprocessed beforehand."""

    wait_time = constant(0)

    @task
    def predict(self) -> None:
        """Send one 28 x 28 image as JSON."""
        self.post("/invocations", DRAWINGS.take(), "application/json")


class PlainPageUser(_User):
    """A user of Gradio's own protocol without a pause: upload, join the queue, read the event stream to its end."""

    wait_time = constant(0)

    def on_start(self) -> None:
        """Open the page as a browser does."""
        self.session = uuid4().hex
        self.client.get("/", name="page", headers=self._headers())
        config = self.client.get("/config", name="page", headers=self._headers()).json()
        self.function = next(event["id"] for event in config["dependencies"] if event["api_name"] == "predict")

    @task
    def submit(self) -> None:
        """Submit one drawing and wait for its answer."""
        started = time.perf_counter()
        fault = None
        try:
            self._submit(DRAWINGS.take())
        except Exception as error:
            fault = error
        elapsed = 1000 * (time.perf_counter() - started)
        self.environment.events.request.fire(
            request_type="POST", name=ANSWER, response_time=elapsed, response_length=0, exception=fault, context={}
        )

    def _submit(self, drawing: bytes) -> None:
        upload = self.client.post(
            "/gradio_api/upload", files={"files": ("drawing.png", drawing, "image/png")}, name="upload",
            headers=self._headers(),
        )  # fmt: skip
        file = {"path": upload.json()[0], "meta": {"_type": "gradio.FileData"}}
        event = {
            "data": [{"background": None, "layers": [], "composite": file}],
            "fn_index": self.function,
            "session_hash": self.session,
        }
        self.client.post("/gradio_api/queue/join", json=event, name="join", headers=self._headers())
        stream = self.client.get(
            f"/gradio_api/queue/data?session_hash={self.session}", name="stream", headers=self._headers()
        )
        lines = [json.loads(line[5:]) for line in stream.text.splitlines() if line.startswith("data:")]
        done = next(line for line in lines if line["msg"] == "process_completed")
        if not done["success"]:
            raise AssertionError(f"the page answered {done['output']}")

    def _headers(self) -> dict[str, str]:
        return {"X-Affinity": self.session}  # as a browser's cookie does behind nginx


class PageUser(PlainPageUser):
    """A person on the page who draws for about a second between answers."""

    weight = 4
    wait_time = between(0.5, 1.5)
