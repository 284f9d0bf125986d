"""The endpoint that Gradio generates, through the network."""

import json
import logging
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from serving.page.tabs.draw import SENTENCES
from tests.helpers.numbers import SevensClassifier, sevens


@pytest.fixture(scope="module")
def client(url, tmp_path_factory):
    return Client(url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))


@pytest.fixture
def seven_file(seven_png, tmp_path):
    (tmp_path / "seven.png").write_bytes(seven_png)
    return handle_file(str(tmp_path / "seven.png"))


def drawing(composite=None, background=None, layers=()):
    return {"background": background, "layers": list(layers), "composite": composite}


def test_predict_is_its_endpoint_and_says_what_it_takes(client):
    endpoints = client.view_api(return_format="dict", print_info=False)
    assert list(endpoints["named_endpoints"]) == ["/predict", "/predict_photo"]
    assert endpoints["unnamed_endpoints"] == {}
    predict = endpoints["named_endpoints"]["/predict"]
    assert [parameter["parameter_name"] for parameter in predict["parameters"]] == ["drawing"]
    assert "composite" in predict["parameters"][0]["python_type"]["type"]
    assert [returned["label"] for returned in predict["returns"]] == [
        *("Answer", "Verdict", "What the model saw", "Details", "Note"),
    ]
    assert predict["description"].startswith("Reads one hand-drawn digit.")


@pytest.mark.parametrize("place", ["composite", "background", "layers"])
def test_a_drawing_gets_label_confidences_picture_and_note(client, classifier, seven_file, place):
    sent = drawing(**{place: [seven_file] if place == "layers" else seven_file})
    label, words, picture, details, note = client.predict(sent, api_name="/predict")
    assert label["label"] == "7"
    assert [entry["label"] for entry in label["confidences"]] == ["7", "1", "9"]
    assert [round(entry["confidence"], 2) for entry in label["confidences"]] == [0.9, 0.06, 0.03]
    with Image.open(picture) as image:
        assert image.size == (28, 28)
    assert words == "Sure."
    assert len(details.pop("id")) > 8
    assert details == {"verdict": "sure", "label": "7", "confidence": 0.9, "candidates": [], "model_version": "3"}
    assert classifier.describe() in note


def test_a_blank_pad_gets_words_and_no_confidences(client):
    label, _, picture, details, _ = client.predict(drawing(), api_name="/predict")
    assert label == {"label": SENTENCES["blank"], "confidences": None}
    assert picture is None
    assert details["verdict"] == "blank"


@pytest.mark.parametrize("value", [5, "text", [], {}, {"a": 1}, {"composite": 3}])
def test_what_is_no_drawing_is_refused_in_words(client, value):
    with pytest.raises(AppError, match="A drawing is"):
        client.predict(value, api_name="/predict")


def test_a_bare_file_is_refused_in_words(client, seven_file):
    with pytest.raises(AppError, match="A drawing is"):
        client.predict(seven_file, api_name="/predict")


def test_an_id_of_a_drawing_is_refused_in_words(client):
    with pytest.raises(AppError, match="A drawing is"):
        client.predict({"id": "unknown"}, api_name="/predict")


def test_a_file_that_is_no_picture_is_refused_in_words(client, tmp_path):
    (tmp_path / "seven.png").write_text("not a picture")
    with pytest.raises(AppError, match="picture"):
        client.predict(drawing(handle_file(str(tmp_path / "seven.png"))), api_name="/predict")


def test_a_huge_picture_is_refused_in_words(client, tmp_path):
    Image.new("1", (10_000, 6_000)).save(tmp_path / "huge.png")
    with pytest.raises(AppError, match="smaller"):
        client.predict(drawing(handle_file(str(tmp_path / "huge.png"))), api_name="/predict")


def test_a_fault_is_logged_and_told_without_its_details(served, broken_classifier, settings, seven_file, caplog):
    broken = Client(served(broken_classifier, settings), verbose=False)
    with caplog.at_level(logging.ERROR), pytest.raises(AppError, match="try again") as error:
        broken.predict(drawing(seven_file), api_name="/predict")
    assert "tflite" not in str(error.value)
    assert "model.tflite is gone" in caplog.text


def test_files_of_the_server_are_not_read(url):
    sent = drawing({"path": str(Path(__file__)), "meta": {"_type": "gradio.FileData"}})
    request = urllib.request.Request(
        f"{url}gradio_api/call/predict",
        json.dumps({"data": [sent]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{url}gradio_api/call/predict/{event}") as reply:
        answer = reply.read().decode()
    assert answer.startswith("event: error")
    assert Path(__file__).name not in answer


def test_a_number_has_the_same_outputs_with_the_whole_and_its_digits(served, classifier, settings, tmp_path):
    (tmp_path / "number.png").write_bytes(sevens(3, 1))
    client = Client(served(SevensClassifier(classifier.bundle), settings), verbose=False, download_files=str(tmp_path))
    sent = drawing(handle_file(str(tmp_path / "number.png")))
    label, words, picture, details, note = client.predict(sent, api_name="/predict")
    assert label == {"label": "777\n7", "confidences": None}
    assert words == "Sure."
    with Image.open(picture) as image:
        assert image.size == (4 * 28, 28)
    assert (details["verdict"], details["label"], details["text"]) == ("sure", "777\n7", "777\n7")
    assert [set(digit) for digit in details["digits"]] == 4 * [{"box", "label", "verdict", "confidence", "candidates"}]
    assert details["digits"][0]["box"] == pytest.approx([30, 30, 70, 90], abs=4)
    assert "ms" in note
