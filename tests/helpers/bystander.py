"""Another visitor, who asks the page and the API while they are attacked, and must not notice."""

import http.client
import json
import threading
import time
from urllib.parse import urlsplit

from settings import ROOT

ADDRESS = "127.0.0.2"
PAUSE = 0.2  # s between two rounds
PATIENCE = 60.0  # s until an answer counts as failed
SEVEN = (ROOT / "docs" / "seven.png").read_bytes()
FORM = b'--b\r\nContent-Disposition: form-data; name="files"; filename="7.png"\r\n\r\n' + SEVEN + b"\r\n--b--\r\n"


class Bystander:
    """Within the block, again and again in a thread: a picture to the API, and a drawing to the page as Submit sends
    it, each over a connection of its own."""

    def __init__(self, url: str) -> None:
        self._host, self._port = urlsplit(url).hostname, urlsplit(url).port
        self.answers, self.slowest = 0, 0.0
        self.failures: list[str] = []
        self._rounds, self._ended = threading.Semaphore(0), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Bystander":
        self._thread.start()
        self._rounds.acquire()  # one round before the attack
        return self

    def __exit__(self, *_exception: object) -> None:
        while self._rounds.acquire(blocking=False):
            pass
        for _ in range(2):  # the round that goes on, and one after the attack
            self._rounds.acquire()
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            for ask in (self._ask_api, self._ask_page):
                begin = time.monotonic()
                try:
                    ask()
                    self.answers += 1
                except (OSError, http.client.HTTPException, LookupError, ValueError) as error:
                    self.failures.append(f"{ask.__name__}: {error!r}")
                self.slowest = max(self.slowest, time.monotonic() - begin)
            self._rounds.release()
            self._ended.wait(PAUSE)

    def _ask_api(self) -> None:
        answer = json.loads(self._ask("POST", "/api/predict", SEVEN, "image/png"))
        if answer["label"] != "7":
            raise ValueError(answer)

    def _ask_page(self) -> None:
        path = json.loads(self._ask("POST", "/gradio_api/upload", FORM, "multipart/form-data; boundary=b"))[0]
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        drawing = json.dumps({"data": [{"background": None, "layers": [], "composite": file}]}).encode()
        event = json.loads(self._ask("POST", "/gradio_api/call/predict", drawing, "application/json"))["event_id"]
        stream = self._ask("GET", f"/gradio_api/call/predict/{event}")
        if b"event: complete" not in stream or b'"label": "7"' not in stream:
            raise ValueError(stream)

    def _ask(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> bytes:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=PATIENCE, source_address=(ADDRESS, 0))
        try:
            headers = {"Content-Type": content_type} if body else {}
            connection.request(method, path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        if reply.status != 200:
            raise ValueError(reply.status, path, content[:200])
        return content
