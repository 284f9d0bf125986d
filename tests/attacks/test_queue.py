"""Bursts of events: whoever sends many waits behind others, and what is not fetched is not kept."""

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.helpers.api import PNG
from tests.helpers.bystander import SEVEN

BURST = 1000
THREADS = 8


def burst(attack, ask):
    """Call `ask(http, number)` so often, as fast as eight connections can. Return how often each status came."""
    clients = [attack.client() for _ in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as threads:
        statuses = threads.map(lambda number: ask(clients[number % THREADS], number).status_code, range(BURST))
        counts = Counter(statuses)
    for client in clients:
        client.close()
    return counts


def drawing(http):
    path = http.post("/gradio_api/upload", files={"files": ("7.png", SEVEN)}).json()[0]
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    return {"data": [{"background": None, "layers": [], "composite": file}]}


def test_a_burst_of_drawings(attack):
    """A thousand drawings at once from one visitor, whose answers nobody fetches, wait behind the next visitor's."""
    with attack.client() as http:
        body = drawing(http)
    statuses = burst(attack, lambda http, _: http.post("/gradio_api/call/predict", json=body))
    assert set(statuses) == {200, 429}
    assert statuses[429] > BURST / 4


def test_a_burst_of_sessions(attack):
    """A thousand sessions of one visitor with an event each keep little, however long their names are."""
    with attack.client() as http:
        events = [event for event in http.get("/config").json()["dependencies"] if event["backend_fn"]]
    numbers = [event["id"] for event in events if not event["inputs"]]

    def ask(http, number):
        session = secrets.token_hex(8) + "x" * (10_000 if number % 10 == 0 else 0)
        body = {"data": [], "fn_index": numbers[number % len(numbers)], "session_hash": session}
        return http.post("/gradio_api/queue/join", json=body)

    assert set(burst(attack, ask)) <= {200, 422, 429, 503}


def test_a_burst_of_pictures_by_the_api(attack):
    """A thousand pictures at once by the API from one visitor leave the next visitor's in their turn."""
    ask = lambda http, _: http.post("/api/predict", content=SEVEN, headers=PNG)  # noqa: E731
    assert set(burst(attack, ask)) <= {200, 429, 503}


def test_long_texts_of_refused_events(attack):
    """Events of a megabyte of text are refused, and neither their session nor the log keeps the text."""
    with attack.client() as http:
        for number in range(40):
            text = f"{number}" + "a" * 1_000_000
            for path, body in (
                ("/gradio_api/call/predict", {"data": [text]}),
                ("/gradio_api/call/predict_photo", {"data": [{"path": text}]}),
                ("/gradio_api/queue/join", {"data": [text], "fn_index": 1, "session_hash": "a" * 10}),
            ):  # fmt: skip
                assert http.post(path, json=body).status_code in (200, 404, 413, 422, 429)
