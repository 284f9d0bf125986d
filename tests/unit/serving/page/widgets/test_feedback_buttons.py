"""The buttons under an answer, posted as the page posts them."""

import pytest
from gradio_client import Client, handle_file

from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import CorrectionFilter
from tests.helpers.tab_events import component_id, trigger


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("feedback")


@pytest.fixture(scope="module")
def url(served, classifier, settings, folder):
    return served(classifier, settings.model_copy(update={"artifact_dir": folder}))


@pytest.fixture
def answer(url, seven_png, tmp_path):
    """Submit a drawing and return the image the model saw and the details, as the page holds them."""
    (tmp_path / "seven.png").write_bytes(seven_png)
    client = Client(url, verbose=False, download_files=False)
    sheet = {"background": None, "layers": [], "composite": handle_file(str(tmp_path / "seven.png"))}
    _, _, preprocessed, details, _ = client.predict(sheet, api_name="/predict")
    return [preprocessed, details]


def press(url, name, answer):
    return trigger(url, component_id(url, "button", value=name), "click", answer)


@pytest.fixture
def kept(folder):
    database = Database(f"sqlite:///{folder / 'history.db'}")
    yield lambda: Corrections(database).search(CorrectionFilter("mnist"), 99)
    database.close()


def test_wrong_and_right_are_kept_with_the_drawing(url, answer, kept):
    assert "Kept as 1" in press(url, "1", answer)[0]
    assert [(correction.given, correction.proposed, correction.source) for correction in kept()] == [("7", "1", "page")]
    assert kept()[0].drawing.startswith(b"\x89PNG")
    assert kept()[0].request_id == answer[1]["id"]
    assert "Kept as 7" in press(url, "Right", answer)[0]
    assert [correction.proposed for correction in kept()] == ["7"]


def test_an_answer_that_is_not_in_the_history_is_kept_by_its_image(url, answer, kept):
    preprocessed, details = answer
    assert "Kept as 4" in press(url, "4", [preprocessed, details | {"id": ""}])[0]
    assert kept()[0].proposed == "4"


@pytest.mark.parametrize("details", [None, [], "x", 7, [["id"]], {"id": {}}])
def test_details_that_are_none_leave_the_image(url, answer, details):
    assert "Kept as 4" in press(url, "4", [answer[0], details])[0]


def test_without_an_answer_there_is_nothing_to_correct(url):
    with pytest.raises(PermissionError, match="Submit something first"):
        press(url, "1", [None, None])
