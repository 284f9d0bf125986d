"""What a tab shows of an answer."""

import asyncio

import gradio as gr
import pytest

from serving.page.tabs.draw import SENTENCES
from serving.page.widgets.answer import AnswerView


@pytest.fixture
def reply(opened, settings, tmp_path, monkeypatch):
    """Answers sheets by a classifier, in live mode."""

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "digest").mkdir()

    def reply(classifier, sheets):
        files = [tmp_path / "digest" / str(number) for number in range(len(sheets))]
        for file, sheet in zip(files, sheets, strict=True):
            file.write_bytes(sheet)
        view = AnswerView(opened(classifier, settings), "mnist", SENTENCES)
        return asyncio.run(view.reply(files, gr.Request(client=None), record=False))

    return reply


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
