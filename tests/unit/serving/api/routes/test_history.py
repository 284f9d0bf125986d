import base64
import io

import pytest
from PIL import Image

from serving.api.routes.history import HistoryAnswer
from tests.helpers.api import PNG, assert_refused
from tests.helpers.entries import entry


@pytest.fixture
def fresh(opened, classifier, settings, tmp_path):
    return opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path, "history_days": 100_000}))


def test_what_was_answered_is_found_with_its_image_and_without_an_address(operator, fresh, seven_png, sheet_png):
    client = operator(fresh)
    number = client.post("/api/predict", content=seven_png, headers=PNG).json()["id"]
    client.post("/api/predict/batch", files=[("images", sheet_png), ("images", b"bad"), ("images", seven_png)])
    fresh.recorder.flush()
    answer = HistoryAnswer.model_validate(client.get("/api/history").json())
    assert [(item.source, item.position, item.label) for item in answer.items] == [
        ("batch", 2, "7"), ("batch", 0, None), ("api", 0, "7")
    ]  # fmt: skip
    assert (answer.total, answer.next) == (3, None)
    assert answer.items[-1].request_id == number
    with Image.open(io.BytesIO(base64.b64decode(answer.items[0].image))) as image:
        assert image.size == (28, 28)
    assert answer.items[1].image is None
    assert "testclient" not in answer.model_dump_json()
    assert len({item.client for item in answer.items}) == 1


def test_a_request_that_a_proxy_repeats_is_recorded_once(operator, fresh, seven_png):
    client = operator(fresh)
    for _ in range(2):
        client.post("/api/predict", content=seven_png, headers=PNG | {"X-Request-ID": "the-same-request"})
    fresh.recorder.flush()
    assert client.get("/api/history").json()["total"] == 1


def test_filters_and_pages(operator, fresh):
    verdicts = ["sure"] * 4 + ["rejected"]
    fresh.recorder.add([entry(i, answered_at=1_700_000_000 + i, verdict=verdict) for i, verdict in enumerate(verdicts)])
    fresh.recorder.flush()
    client = operator(fresh)

    def numbers(**query):
        return [item["label"] for item in client.get("/api/history", params=query).json()["items"]]

    assert numbers(label="3") == ["3"]
    assert numbers(verdict="rejected") == numbers(verdict="not_a_digit") == ["4"]
    assert numbers(since="2023-11-14T22:13:22", until="2023-11-14T23:13:24+01:00") == ["3", "2"]
    first = client.get("/api/history", params={"limit": 2}).json()
    assert (first["total"], first["next"]) == (5, first["items"][-1]["id"])
    assert numbers(limit=9, before=first["next"]) == ["2", "1", "0"]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "before=x", "since=yesterday", "colour=red", "label=%00"])
def test_a_wrong_query_is_refused(operator, query):
    assert operator().get(f"/api/history?{query}").status_code == 422


def test_without_a_history_that_is_said(operator, opened, classifier, settings):
    client = operator(opened(classifier, settings.model_copy(update={"history": False})))
    assert_refused(client.get("/api/history"), 404, "history_off")


def test_a_database_that_is_away_is_said(operator, opened, classifier, settings):
    away = settings.model_copy(update={"database_url": "postgresql://ann:secret@127.0.0.1:1/none"})
    reply = operator(opened(classifier, away)).get("/api/history")
    assert_refused(reply, 503, "no_history")
    assert "secret" not in reply.text


def test_a_number_is_found_by_its_text_and_with_its_digits(operator, fresh):
    fresh.recorder.add([entry(1, answered_at=1_700_000_000, label="42\n1", image=bytes(3 * 784))])
    fresh.recorder.flush()
    client = operator(fresh)
    for label in ("42\n1", "42 1"):
        (item,) = client.get("/api/history", params={"label": label}).json()["items"]
        assert item["label"] == "42\n1"
    with Image.open(io.BytesIO(base64.b64decode(item["image"]))) as image:
        assert image.size == (28, 3 * 28)
    assert client.get("/api/history", params={"label": "42"}).json()["items"] == []
    assert client.get("/api/history", params={"label": "4" * 301}).status_code == 422
