"""The Photo tab's endpoint, through the network."""

import io
import json
import urllib.request

import httpx
import pytest
from gradio.utils import get_upload_folder
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from serving.page.tabs.photo import SENTENCES
from settings import ROOT
from tests.helpers.page_config import component_texts
from tests.helpers.pictures import FORMATS_MADE, encoded
from tests.helpers.tab_events import component_id, trigger

ORIENTATION = 0x0112  # EXIF tag


def stream(url, endpoint, value):
    """What the endpoint tells to a program that sends any value."""
    body = json.dumps({"data": [value]}).encode()
    call = urllib.request.Request(f"{url}gradio_api/call/{endpoint}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(call) as reply:
        number = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{url}gradio_api/call/{endpoint}/{number}") as reply:
        return reply.read().decode()


@pytest.fixture(scope="module")
def client(url, tmp_path_factory):
    return Client(url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


@pytest.fixture
def ask(client, tmp_path):
    def ask(data, name="photo.png"):
        (tmp_path / name).write_bytes(data)
        return client.predict(handle_file(str(tmp_path / name)), api_name="/predict_photo")

    return ask


def test_a_photo_gets_label_verdict_picture_details_and_note(ask, photo_png, photo_classifier):
    label, words, picture, details, note = ask(photo_png)
    assert [entry["label"] for entry in label["confidences"]] == ["horse", "automobile", "truck"]
    assert words == "Sure."
    assert len(details.pop("id")) > 8
    with Image.open(picture) as image:
        assert (image.size, image.mode, image.getpixel((16, 4))) == ((32, 32), "RGB", (200, 30, 30))
    assert details == {"verdict": "sure", "label": "horse", "confidence": 0.9, "candidates": [], "model_version": "5"}
    assert photo_classifier.describe() in note


def test_a_photo_from_a_telephone_is_turned_upright(ask, photo_png):
    with Image.open(io.BytesIO(photo_png)) as image:
        lying, tag, buffer = image.rotate(90, expand=True), Image.Exif(), io.BytesIO()
    tag[ORIENTATION] = 6  # turned a quarter to the left when it was taken
    lying.save(buffer, "JPEG", exif=tag, quality=95)
    with Image.open(ask(buffer.getvalue(), "phone.jpg")[2]) as image:
        above, below = image.getpixel((16, 4)), image.getpixel((16, 28))
    assert above[0] - above[2] > 100
    assert below[2] - below[0] > 100


def test_nothing_on_it_gets_words_and_no_photo_clears_the_answer(client, ask, sheet_png):
    label, *_, details, _ = ask(sheet_png)
    assert label == {"label": SENTENCES["blank"], "confidences": None}
    assert details["verdict"] == "blank"
    assert client.predict(None, api_name="/predict_photo")[2:4] == (None, None)


def test_what_is_no_picture_is_refused_in_words(ask, client):
    with pytest.raises(AppError, match="picture"):
        ask(b"no picture")
    with pytest.raises(AppError):
        client.predict({"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}, api_name="/predict_photo")


NOT_UPLOADED = "This file was not uploaded to this page."


@pytest.mark.parametrize("meta", [{}, {"meta": {"_type": "gradio.FileData"}}])
@pytest.mark.parametrize("endpoint", ["predict_photo", "predict"])
@pytest.mark.parametrize(
    "path",
    [
        str(ROOT / "docs/seven.png"),
        "docs/seven.png",
        "/etc/passwd",
        "/etc/no-such-file",
        "/dev/zero",
        "{cache}",
        "{cache}/../../../../../../../etc/passwd",
        "https://example.com/seven.png",
        "nul\0",
        "x" * 5000,
        7,
    ],
)
def test_a_file_that_was_not_uploaded_is_not_opened_whatever_is_there(url, endpoint, path, meta):
    path = path.replace("{cache}", get_upload_folder()) if isinstance(path, str) else path
    file = {"path": path} | meta
    value = file if endpoint == "predict_photo" else {"background": None, "layers": [file], "composite": None}
    events = stream(url, endpoint, value)
    assert "event: error" in events
    assert NOT_UPLOADED in events


def test_neither_is_it_by_a_component_that_opens_files_itself(url):
    """The picture that *Why this answer?* explains is read by Gradio's own image component."""
    why, picture = component_id(url, "button", value="Why this answer?"), {"path": str(ROOT / "docs/seven.png")}
    with pytest.raises(PermissionError, match=NOT_UPLOADED):
        trigger(url, why, "click", [picture])


MALFORMED = (
    "docs/seven.png", 7, True, [], [None], [[1]], {}, {"orig_name": "photo.png"}, {"path": None}, {"path": ""},
    {"id": "x"}, {"path": {}}, "data:image/png;base64,AAAA", {"meta": {"_type": "gradio.FileData"}}, {"a": 1}, 1e300,
)  # fmt: skip


@pytest.mark.parametrize("value", [*MALFORMED, {"composite": None, "layers": []}, {"background": 7, "layers": "x"}])
def test_what_is_no_photo_is_refused_in_words(url, value):
    events = stream(url, "predict_photo", value)
    assert "event: error" in events
    assert "A picture is a file" in events


@pytest.mark.parametrize("value", [*MALFORMED, {"layers": 7}, {"layers": [None]}, {"composite": "x"}])
def test_what_is_no_drawing_is_refused_in_words(url, value):
    events = stream(url, "predict", value)
    assert "event: error" in events
    assert "A drawing is" in events


@pytest.mark.parametrize("endpoint", ["predict", "predict_photo"])
def test_a_call_without_values_is_refused_in_words(url, endpoint):
    reply = httpx.post(f"{url}gradio_api/call/{endpoint}", json={"data": []})
    events = httpx.get(f"{url}gradio_api/call/{endpoint}/{reply.json()['event_id']}").text
    assert "not what this event takes" in events
    for body in ({}, [], 7, {"data": None}, {"data": {}}, {"data": "x"}):
        reply = httpx.post(f"{url}gradio_api/call/{endpoint}", json=body)
        assert reply.status_code == 422
        assert reply.json()["error"]["message"]


@pytest.mark.parametrize("kind", FORMATS_MADE)
def test_a_photo_in_any_format_is_read(ask, kind, photo_png):
    name, options = FORMATS_MADE[kind]
    with Image.open(io.BytesIO(photo_png)) as photo:
        data = encoded(photo.convert("RGB"), name, **options)
    assert ask(data, f"photo.{kind}")[3]["verdict"] == "sure"


def test_the_answer_is_kept_with_its_data_set(ask, url, photo_png, operator_keys):
    ask(photo_png)
    request = urllib.request.Request(f"{url}api/stats?dataset=cifar10", headers={"X-API-Key": operator_keys[url]})
    with urllib.request.urlopen(request) as reply:
        assert json.load(reply)["sources"]["page"] >= 1


def test_without_a_model_the_tab_says_how_to_make_one(build, opened, classifier, settings):
    page = build(opened(classifier, settings))
    config = page.get_config_file()
    assert any(
        "python -m experiments run --dataset cifar10" in (text or "") for text in component_texts(config, "markdown")
    )
    names = [event["api_name"] for event in config["dependencies"] if event["api_visibility"] == "public"]
    assert names == ["predict"]
