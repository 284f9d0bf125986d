import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.preprocessing.decoding import ImageError
from serving.page.tabs.draw import SENTENCES
from serving.prediction.single import answer, flatten, note


def test_a_drawing_gets_probabilities_what_was_seen_and_a_note(classifier, seven_png):
    found = answer(classifier, [seven_png], SENTENCES)
    assert max(found.label, key=found.label.get) == "7"
    assert list(found.label) == list("0123456789")
    assert found.prediction.image.shape == (28, 28, 1)
    assert found.prediction.image.any()
    assert found.words == "Sure."
    assert classifier.describe() in found.note
    assert "ms" in found.note


def test_no_sheet_or_an_empty_one_is_answered_in_words(classifier, sheet_png):
    for sheets in ([], [sheet_png]):
        found = answer(classifier, sheets, SENTENCES)
        assert found.label == SENTENCES["blank"]
        assert found.prediction.verdict == "blank"
        assert found.words == ""
        assert classifier.describe() in found.note


def test_an_unsure_answer_names_both_candidates(unsure_classifier, seven_png):
    found = answer(unsure_classifier, [seven_png], SENTENCES)
    assert found.words == "Not sure: 4 or 9?"
    assert isinstance(found.label, dict)


def test_what_is_refused_is_told_in_words_alone(refusing_classifier, seven_png):
    found = answer(refusing_classifier, [seven_png], SENTENCES)
    assert found.label == SENTENCES["rejected"]
    assert found.words == ""


def test_ink_on_its_own_layer_is_read_as_ink_on_the_sheet(classifier, seven_png, sheet_png):
    layered, alone = answer(classifier, [sheet_png, seven_png], SENTENCES), answer(classifier, [seven_png], SENTENCES)
    assert np.array_equal(layered.prediction.image, alone.prediction.image)


def test_sheets_of_different_sizes_lie_over_one_another():
    below, above = np.zeros((4, 6, 4), np.uint8), np.full((2, 9, 4), 255, np.uint8)
    flat = flatten([below, above])
    assert flat.shape == below.shape
    assert flat[:2].min() == 255
    assert flat[2:].max() == 0


def test_the_note_is_the_model_alone_before_the_first_answer(classifier):
    assert note(classifier) == f"Answers come from {classifier.describe()}."


@given(st.binary(max_size=200))
def test_bytes_that_are_no_picture_are_refused_in_words(classifier, data):
    with pytest.raises(ImageError, match="picture"):
        answer(classifier, [data], SENTENCES)
