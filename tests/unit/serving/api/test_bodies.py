"""Bodies that are out of bounds, whichever route they are for."""

import pytest
from starlette.testclient import TestClient

from serving.api.schemas import ErrorAnswer
from serving.server import build_app
from tests.helpers.api import PNG, assert_refused


@pytest.fixture(scope="module")
def client(services):
    with TestClient(build_app(services), "http://127.0.0.1:7860") as client:
        client.headers["X-API-Key"] = services.access.credentials.key.text
        yield client


def test_what_a_body_is_unpacked_to_finds_room_or_is_refused(api, opened, classifier, settings):
    tight = opened(classifier, settings.model_copy(update={"max_waiting_mb": 2}))
    client, picture = api(tight), bytes(600 * 1024)
    assert_refused(client.post("/api/predict", files={"image": picture}), 503, "busy")
    assert_refused(client.post("/api/predict/batch", files=[("images", picture[:300_000])] * 2), 503, "busy")
    assert_refused(client.post("/api/predict", json={"image": "A" * len(picture)}), 503, "busy")
    assert_refused(client.post("/api/predict", content=picture, headers=PNG), 400, "bad_image")
    assert (tight.load.places.used, tight.load.memory.used) == (0, 0)


@pytest.mark.parametrize("path", ["/api/predict", "/api/feedback"])
@pytest.mark.parametrize(
    "body",
    [
        b"{" + b",".join(b'"k%d":1' % number for number in range(100_000)) + b"}",
        b'{"' + b"k" * 2**20 + b'":1}',
        b'{"image":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
        b'{"image":' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"image":"' + b"\xff" * 100 + b'"}',
        b'{"image":' + b"9" * 100_000 + b"}",
        b'{"image":"","image":[' + b"NaN," * 500 + b"0]}",
    ],
    ids=["names", "long-name", "nested", "less-nested", "no-utf-8", "huge-number", "twice"],
)
def test_json_that_is_out_of_bounds_is_refused_in_few_words(client, path, body):
    reply = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code in (400, 422)
    assert ErrorAnswer.model_validate_json(reply.content).error.message
    assert len(reply.content) < 1200


def test_a_query_that_is_wrong_is_not_sent_back(client):
    for query in (f"{'k' * 5000}=1", f"dataset={'v' * 5000}", f"limit={'9' * 5000}", f"since={'9' * 5000}"):
        reply = client.get(f"/api/history?{query}")
        assert_refused(reply, 422, "wrong_shape")
        assert len(reply.content) < 1200
