import base64
import io
import json
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from starlette.testclient import TestClient

from serving.api.schemas import BatchAnswer, ErrorAnswer, PredictAnswer
from serving.server import build_app
from tests.helpers.api import PNG, assert_refused
from tests.helpers.pictures import FORMATS_MADE, zipped
from tests.helpers.pictures import encoded as made

FIELDS = "application/x-www-form-urlencoded"


@pytest.fixture
def client(api):
    return api()


def encoded(pixels, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def test_a_picture_is_answered_however_it_is_sent(client, seven, seven_png):
    text = base64.b64encode(seven_png).decode()
    opaque = np.full((100, 100, 3), 255, np.uint8)
    opaque[seven[..., 3] > 0] = 0
    replies = [
        client.post("/api/predict", content=seven_png, headers=PNG),
        client.post("/api/predict", content=seven_png, headers={"Content-Type": "application/octet-stream"}),
        client.post("/api/predict", content=encoded(opaque, "JPEG"), headers={"Content-Type": "image/jpeg"}),
        client.post("/api/predict", content=encoded(opaque, "WEBP"), headers={"Content-Type": "image/webp"}),
        client.post("/api/predict", json={"image": text}),
        client.post("/api/predict", json={"image": f"data:image/png;base64,{text}"}),
        client.post("/api/predict", files={"image": ("seven.png", seven_png)}),
        client.post("/api/predict", content=encoded(opaque, "JPEG"), headers={"Content-Type": "image/jpg"}),
        client.post("/api/predict", content=seven_png, headers={"Content-Type": FIELDS}),
        client.post("/api/predict", content=seven_png),
        client.post("/api/predict", content=seven_png, headers={"Content-Type": "audio/x-odd; a=b"}),
        client.post("/api/predict", content=text, headers={"Content-Type": "text/plain"}),
        client.post("/api/predict", content=json.dumps({"image": text}), headers={"Content-Type": FIELDS}),
        client.post("/api/predict", data={"image": text, "more": "fields"}),
        client.post("/api/predict", files={"img": ("seven.png", seven_png), "": ("", b"")}),
        client.post("/api/predict", files={"image": (None, f"data:image/png;base64,{text}"), "id": (None, "7")}),
        client.post("/api/predict", files={"image": (None, seven_png)}),
        *[
            client.post("/api/predict", files={"file": seven_png}, headers={"Content-Type": kind})
            for kind in ("multipart/form-data", "application/json", "text/plain")
        ],
        client.post("/api/predict", json={"image": cv2.resize(opaque, (28, 28)).tolist()}),
        client.post("/api/predict", json={"instances": [{"b64": text}]}),
        *[
            client.post("/api/predict", content=made(Image.fromarray(opaque), name, **options))
            for name, options in FORMATS_MADE.values()
        ],
    ]
    for reply in replies:
        answer = PredictAnswer.model_validate_json(reply.content)
        assert (reply.status_code, answer.label, answer.verdict) == (200, "7", "sure")
        assert answer.confidence == answer.confidences["7"] == 0.9
        assert answer.model.version == "3"
        assert answer.id == reply.headers["x-request-id"]


def test_a_blank_sheet_has_no_label(client, sheet_png):
    answer = client.post("/api/predict", content=sheet_png, headers=PNG).json()
    assert (answer["label"], answer["verdict"], answer["confidence"]) == (None, "blank", 0)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"no picture at all", PNG, 400, "bad_image"),
        (b"", PNG, 422, "empty"),
        (b"x", {}, 415, "wrong_type"),
        (b"x", {"Content-Type": "text/plain"}, 415, "wrong_type"),
        (b"GIF89a", {"Content-Type": "image/gif"}, 400, "bad_image"),
        (b"GIF89a", {}, 400, "bad_image"),
        (b"a=***&b=*", {"Content-Type": "application/x-www-form-urlencoded"}, 400, "bad_base64"),
        (b"{", {"Content-Type": "application/json"}, 400, "bad_json"),
        (b"[]", {"Content-Type": "application/json"}, 422, "wrong_shape"),
        (b'{"picture": "x"}', {"Content-Type": "application/json"}, 422, "wrong_shape"),
        (b'{"image": "***"}', {"Content-Type": "application/json"}, 400, "bad_base64"),
        (b'{"image": ""}', {"Content-Type": "application/json"}, 400, "bad_image"),
        (b"x", {"Content-Type": "multipart/form-data"}, 400, "bad_multipart"),
        (b"--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, 422, "no_picture"),
        (b"broken", {"Content-Type": "multipart/form-data; boundary=x"}, 400, "bad_multipart"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_right_status(client, body, headers, status, code):
    assert assert_refused(client.post("/api/predict", content=body, headers=headers), status, code).hint


def test_a_truncated_picture_is_undecodable(client, seven_png):
    assert_refused(client.post("/api/predict", content=seven_png[:60], headers=PNG), 400, "bad_image")
    assert_refused(client.post("/api/predict", content=seven_png[:-30], headers=PNG), 400, "bad_image")


@pytest.mark.parametrize("side", [8_000, 20_000])  # 64 and 400 megapixels in a few kilobytes
def test_a_decompression_bomb_is_too_large(client, side):
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    assert_refused(client.post("/api/predict", content=buffer.getvalue(), headers=PNG), 413, "too_large")


def test_a_body_over_the_limit_is_refused(api, opened, classifier, settings):
    small = opened(classifier, settings.model_copy(update={"max_image_mb": 1, "max_batch_mb": 1}))
    client, much = api(small), bytes(1024 * 1024 + 1)
    assert_refused(client.post("/api/predict", content=much, headers=PNG), 413, "too_large")
    assert_refused(client.post("/api/predict", files={"image": much}), 413, "too_large")
    assert_refused(client.post("/api/predict", json={"image": base64.b64encode(much).decode()}), 413, "too_large")
    assert_refused(client.post("/api/predict/batch", files=[("images", much)]), 413, "too_large")
    bomb = zipped([("zeros.png", bytes(3 * 1024 * 1024))])
    reply = client.post("/api/predict/batch", content=bomb, headers={"Content-Type": "application/zip"})
    assert reply.json()["results"][0]["error"]["code"] == "too_large"
    bomb = zipped([(f"{number}.png", bytes(600 * 1024)) for number in range(3)])
    assert_refused(
        client.post("/api/predict/batch", content=bomb, headers={"Content-Type": "application/zip"}), 413, "too_large"
    )


def test_a_batch_is_answered_in_order_and_a_bad_picture_spoils_no_other(client, seven_png, sheet_png):
    files = [("7.png", seven_png), ("bad.png", b"no picture"), ("blank.png", sheet_png), ("7 again.png", seven_png)]
    for reply in (
        client.post("/api/predict/batch", files=[("images", file) for file in files]),
        client.post("/api/predict/batch", content=zipped(files), headers={"Content-Type": "application/zip"}),
        client.post("/api/predict/batch", files=[("images", ("all.zip", zipped(files)))]),
    ):
        answer = BatchAnswer.model_validate_json(reply.content)
        assert [result.name for result in answer.results] == [name for name, _ in files]
        assert [result.position for result in answer.results] == [0, 1, 2, 3]
        assert [result.reading and result.reading.verdict for result in answer.results] == [
            "sure", None, "blank", "sure"
        ]  # fmt: skip
        assert answer.results[1].error.code == "bad_image"


def test_names_that_lead_out_links_and_litter_in_a_zip(client, seven_png):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    bad = ["../../etc/passwd.png", "/etc/passwd.png", "..\\up.png", "C:\\up.png", link]
    files = [(name, seven_png) for name in ["__MACOSX/._7.png", "folder/.DS_Store", *bad, "in/folder/7.png"]]
    reply = client.post("/api/predict/batch", content=zipped(files), headers={"Content-Type": "application/zip"})
    results = reply.json()["results"]
    assert [result["error"] and result["error"]["code"] for result in results] == [*["bad_name"] * 4, "bad_entry", None]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"PK\x03\x04 broken", 400, "bad_zip"),
        (b"no zip", 400, "bad_zip"),
        (zipped([]), 422, "no_picture"),
        (b"PK\x01\x02" * 50_000, 400, "bad_zip"),
        (zipped([(f"{number}.png", b"") for number in range(2001)]), 413, "too_large"),
    ],
)
def test_a_zip_that_is_none_or_too_much_is_refused(client, body, status, code):
    reply = client.post("/api/predict/batch", content=body, headers={"Content-Type": "application/zip"})
    assert_refused(reply, status, code)


def test_a_fault_is_told_without_its_details_and_the_next_request_is_served(
    api, opened, broken_classifier, settings, seven_png, sheet_png
):
    client = api(opened(broken_classifier, settings))
    reply = client.post("/api/predict", content=seven_png, headers=PNG)
    assert_refused(reply, 500, "fault")
    assert "tflite" not in reply.text
    assert client.post("/api/predict", content=sheet_png, headers=PNG).json()["verdict"] == "blank"


def test_a_client_over_its_rate_is_told_when_to_come_back(api, opened, classifier, settings, sheet_png):
    client = api(opened(classifier, settings.model_copy(update={"rate_limit_api": "3/hour"})))
    assert client.post("/api/predict", content=sheet_png, headers=PNG).status_code == 200
    batch = [("images", sheet_png)] * 3
    reply = client.post("/api/predict/batch", files=batch)
    assert_refused(reply, 429, "too_many")
    assert 0 < int(reply.headers["retry-after"]) <= 3600
    free = api(opened(classifier, settings.model_copy(update={"rate_limit_api": "1/hour", "rate_limit": "off"})))
    assert {free.post("/api/predict", content=sheet_png, headers=PNG).status_code for _ in range(5)} == {200}


def test_more_requests_than_are_taken_at_a_time_are_told_so(api, opened, classifier, settings, sheet_png):
    full = opened(classifier, settings.model_copy(update={"max_requests": 1}))
    client = api(full)
    with full.load.request("203.0.113.1") as held:
        held.enter()
        assert_refused(client.post("/api/predict", content=sheet_png, headers=PNG), 503, "busy")
    assert client.post("/api/predict", content=sheet_png, headers=PNG).status_code == 200
    assert (full.load.places.used, full.load.memory.used) == (0, 0)


def test_a_zip_is_refused_only_where_what_it_unpacks_to_finds_no_room(api, opened, classifier, settings, sheet_png):
    tight = opened(classifier, settings.model_copy(update={"max_waiting_mb": 2, "max_batch_mb": 64}))
    client, headers = api(tight), {"Content-Type": "application/zip"}
    small = zipped([("blank.png", sheet_png)])
    assert client.post("/api/predict/batch", content=small, headers=headers).status_code == 200
    large = zipped([(f"{number}.png", bytes(600 * 1024)) for number in range(2)])
    assert_refused(client.post("/api/predict/batch", content=large, headers=headers), 503, "busy")
    assert (tight.load.places.used, tight.load.memory.used) == (0, 0)


@pytest.fixture(scope="module")
def one_client(services):
    with TestClient(build_app(services), "http://127.0.0.1:7860") as client:
        yield client


KINDS = st.sampled_from(
    ["image/png", "image/jpeg", "application/json", "application/zip", "multipart/form-data; boundary=x",
     "application/octet-stream", "text/html", "", ";;", "multipart/form-data; boundary=", "image/png; charset=é"]
)  # fmt: skip
STARTS = st.sampled_from(
    [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"RIFF\x10\0\0\0WEBPVP8X", b"PK\x03\x04", b"PK\x05\x06",
     b'{"image": "', b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n']
)  # fmt: skip


@given(KINDS, STARTS, st.binary(max_size=300), st.sampled_from(["/api/predict", "/api/predict/batch"]))
def test_any_body_gets_an_answer_or_an_error_of_the_one_shape(one_client, kind, start, rest, path):
    reply = one_client.post(path, content=start + rest, headers={"Content-Type": kind.encode()})
    assert reply.status_code < 500, reply.text
    if reply.status_code != 200:
        assert ErrorAnswer.model_validate_json(reply.content).error.message


def test_a_damaged_picture_never_breaks_the_reader(client, seven_png):
    rng = np.random.default_rng(0)
    for _ in range(20):
        damaged = bytearray(seven_png)
        for place in rng.integers(8, len(damaged), 3):
            damaged[place] = rng.integers(256)
        assert client.post("/api/predict", content=bytes(damaged), headers=PNG).status_code in (200, 400, 413, 422)
