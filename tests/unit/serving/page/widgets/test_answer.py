"""What a tab shows of an answer."""

import asyncio

import gradio as gr
import pytest
from PIL import Image

from serving.page.tabs.draw import SENTENCES
from serving.page.widgets.answer import AnswerView
from serving.prediction.batching import BUSY
from tests.helpers.numbers import SevensClassifier, number, sevens
from tests.helpers.pictures import encoded


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A folder of the cache of uploads."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "digest").mkdir()
    return tmp_path / "digest"


@pytest.fixture
def reply(opened, settings, cache):
    """Answers sheets by a classifier, without recording the answers."""

    def reply(classifier, sheets):
        files = [cache / str(number) for number in range(len(sheets))]
        for file, sheet in zip(files, sheets, strict=True):
            file.write_bytes(sheet)
        view = AnswerView(opened(classifier, settings), "mnist", SENTENCES)
        return asyncio.run(view.reply(files, gr.Request(client=None), record=False))

    return reply


@pytest.fixture
def view(opened, settings, cache):
    """The file of a sheet, and the view of a classifier's answers."""

    def view(classifier, sheet):
        (cache / "sheet").write_bytes(sheet)
        return cache / "sheet", AnswerView(opened(classifier, settings), "mnist", SENTENCES)

    return view


def test_a_drawing_gets_probabilities_and_a_note(reply, classifier, seven_png):
    label, words, image, details, note = reply(classifier, [seven_png])
    assert max(label, key=label.get) == "7"
    assert list(label) == list("0123456789")
    assert words == "Sure."
    assert image.endswith(".png")
    assert details["id"] == ""
    assert classifier.describe() in note
    assert "ms" in note


def test_no_sheet_or_an_empty_one_is_answered_in_words(reply, classifier, sheet_png):
    for sheets in ([], [sheet_png]):
        label, words, image, details, note = reply(classifier, sheets)
        assert (label, words, image) == (SENTENCES["blank"], "", None)
        assert details["verdict"] == "blank"
        assert classifier.describe() in note


def test_an_unsure_answer_names_both_candidates(reply, unsure_classifier, seven_png):
    label, words, *_ = reply(unsure_classifier, [seven_png])
    assert words == "Not sure: 4 or 9?"
    assert isinstance(label, dict)


def test_a_rejected_drawing_is_answered_in_words_alone(reply, refusing_classifier, seven_png):
    label, words, *_ = reply(refusing_classifier, [seven_png])
    assert (label, words) == (SENTENCES["rejected"], "")


def test_the_note_is_the_model_alone_before_the_first_answer(opened, settings, classifier):
    *_, note = AnswerView(opened(classifier, settings), "mnist", SENTENCES).nothing()
    assert note == f"Answers come from {classifier.describe()}."


def test_what_is_no_picture_is_refused_in_words(reply, classifier):
    with pytest.raises(gr.Error, match="picture"):
        reply(classifier, [b"no picture"])


def test_sheets_that_are_too_large_together_are_refused_in_words(reply, classifier, seven_png):
    with pytest.raises(gr.Error, match="10 MiB"):
        reply(classifier, [seven_png, bytes(6 << 20), bytes(6 << 20)])


def test_too_many_sheets_are_refused_in_words(reply, classifier, seven_png):
    with pytest.raises(gr.Error, match="10 layers"):
        reply(classifier, [seven_png] * 11)


@pytest.mark.parametrize("boxes", [True, False])
def test_a_number_has_boxes_on_the_page_alone(view, classifier, boxes):
    file, view = view(SevensClassifier(classifier.bundle), sevens(2))
    reply = view.reply_with_boxes if boxes else view.reply
    label, words, image, details, _, *page = asyncio.run(reply([file], gr.Request(client=None), record=False))
    assert (label, words, details["text"], details["id"]) == ("77", "Sure.", "77", "")
    assert image.endswith(".png")
    assert [html.count("<figure") for html in page] == ([3] if boxes else [])


@pytest.fixture
def live(view):
    """Answers a sheet by a classifier in live mode; busy: while so many requests are being prepared."""

    def live(classifier, sheet, busy=0):
        file, of = view(classifier, sheet)
        of.services.batcher._preparing += busy
        return asyncio.run(of.reply_live([file] if sheet else [], gr.Request(client=None)))

    return live


def test_a_live_answer_is_not_kept(live, classifier, seven_png):
    label, words, _, details, note, digits = live(classifier, seven_png)
    assert (max(label, key=label.get), words, details["id"], digits) == ("7", "Sure.", "", "")
    assert classifier.describe() in note


def test_a_live_answer_is_skipped_without_a_drawing_and_by_a_busy_server(live, classifier, seven_png):
    assert live(classifier, b"") == ()
    assert live(classifier, seven_png, busy=BUSY + 1) == ()
    assert live(classifier, seven_png, busy=BUSY) != ()


def test_one_digit_has_no_boxes(view, classifier, seven_png):
    file, view = view(classifier, seven_png)
    *_, page = asyncio.run(view.reply_with_boxes([file], gr.Request(client=None), record=False))
    assert page == ""


def test_a_rejected_number_has_the_sentence_and_its_digits(view, classifier):
    _, view = view(classifier, encoded(Image.new("L", (9, 9)), "PNG"))
    label, words, *_ = view._outputs(number("42", "rejected"), 1.0, "")
    assert (label, words) == (SENTENCES["rejected"], "")


def test_a_preview_that_is_refused_leaves_the_answer(view, classifier):
    _, view = view(classifier, b"")
    assert asyncio.run(view._preview([b"no picture"], "client")).preview == b""
