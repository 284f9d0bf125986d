"""The buttons under an answer, posted as the page posts them."""

import pytest
from gradio_client import Client, handle_file

from serving.page.widgets.feedback_buttons import number_of
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import CorrectionFilter
from tests.helpers.numbers import SevensClassifier, sevens
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


@pytest.fixture(scope="module")
def numbers_url(served, classifier, settings, folder):
    (folder / "numbers").mkdir()
    return served(SevensClassifier(classifier.bundle), settings.model_copy(update={"artifact_dir": folder / "numbers"}))


@pytest.fixture
def number_answer(numbers_url, tmp_path):
    """Likewise, of a number."""
    (tmp_path / "number.png").write_bytes(sevens(2))
    client = Client(numbers_url, verbose=False, download_files=False)
    sheet = {"background": None, "layers": [], "composite": handle_file(str(tmp_path / "number.png"))}
    _, _, preprocessed, details, _ = client.predict(sheet, api_name="/predict")
    return [preprocessed, details]


def test_a_number_is_corrected_as_text_and_confirmed(numbers_url, number_answer, folder):
    assert "Kept as 71," in press(numbers_url, "Send", [" 7 1 ", *number_answer])[0]
    database = Database(f"sqlite:///{folder / 'numbers' / 'history.db'}")
    (kept,) = Corrections(database).search(CorrectionFilter("mnist"), 99)
    database.close()
    assert (kept.given, kept.proposed, kept.request_id) == ("7", "1", number_answer[1]["id"])
    assert "Kept as 77," in press(numbers_url, "Right", number_answer)[0]


def test_a_number_split_wrongly_is_refused_in_words(numbers_url, number_answer):
    with pytest.raises(PermissionError, match="split wrongly"):
        press(numbers_url, "Send", ["712", *number_answer])


@pytest.mark.parametrize("text", ["", " \n ", None])
def test_no_number_is_refused_in_words(numbers_url, number_answer, text):
    with pytest.raises(PermissionError, match="Type the right number"):
        press(numbers_url, "Send", [text, *number_answer])


def test_an_answer_while_drawing_has_no_number_to_correct(numbers_url, number_answer):
    preprocessed, details = number_answer
    with pytest.raises(PermissionError, match="Press Submit"):
        press(numbers_url, "Right", [preprocessed, details | {"id": ""}])


def test_without_a_history_a_number_is_not_corrected(served, classifier, settings, number_answer):
    without = served(SevensClassifier(classifier.bundle), settings.model_copy(update={"history": False}))
    with pytest.raises(PermissionError, match="No history"):
        press(without, "Right", [None, number_answer[1]])


@pytest.mark.parametrize(("text", "number"), [("42", "42"), (" 4 2\n\n 17\n", "42\n17"), (42, "42")])
def test_a_number_is_typed_with_spaces_and_rows(text, number):
    assert number_of(text) == number
