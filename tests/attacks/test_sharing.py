"""Links to answers: guessed, made for the answers of others, and made in numbers."""

import json
import secrets

from tests.attacks.test_queue import burst
from tests.helpers.api import PNG
from tests.helpers.bystander import SEVEN
from tests.helpers.tab_events import component_id


def events_of(http, target):
    """The number of the event that a component's trigger starts."""
    dependencies = http.get("/config").json()["dependencies"]
    return next(
        each["id"] for each in dependencies if each["backend_fn"] and any(target == one for one, _ in each["targets"])
    )


def outcome(http, number, data):
    """Run an event; gives its output, or the words of its error."""
    session = secrets.token_hex(8)
    http.post("/gradio_api/queue/join", json={"data": data, "fn_index": number, "session_hash": session})
    stream = http.get("/gradio_api/queue/data", params={"session_hash": session}).text
    messages = [json.loads(line.removeprefix("data: ")) for line in stream.splitlines() if line.startswith("data: ")]
    return json.dumps(next(each for each in messages if each["msg"] == "process_completed")["output"])


def test_links_are_not_guessed_nor_made_for_others(attack):
    """A thousand guesses at links open nothing, and answers that others got are not shared."""
    with attack.client() as http:
        token = events_of(http, component_id(attack.url, "textbox", elem_id="shared-token"))
        share = events_of(http, component_id(attack.url, "button", value="Share this answer"))
        answer = http.post("/api/predict", content=SEVEN, headers=PNG).json()
        for request_id in (answer["id"], "made-up", secrets.token_hex(16), "x" * 10_000, "' OR 1=1 --"):
            assert "No drawing of yours" in outcome(http, share, [{"id": request_id}])
        for guess in ("", "' OR 1=1 --", "%", "_" * 32, secrets.token_urlsafe(24)):
            assert "No answer is shared" in outcome(http, token, [guess])

    def guess(http, _):
        body = {"data": [secrets.token_urlsafe(24)], "fn_index": token, "session_hash": secrets.token_hex(8)}
        return http.post("/gradio_api/queue/join", json=body)

    assert set(burst(attack, guess)) <= {200, 429, 503}
