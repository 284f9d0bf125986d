"""Layout and ink of strokes on the pad, and scores of predictions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.datasets import DatasetError
from experiments.evaluation import drawings as drawn
from experiments.inference.predictions import Prediction


def test_a_drawing_has_the_size_place_and_brush_asked_for() -> None:
    rng = np.random.default_rng(0)
    cross = [np.array([[0, 0], [0, 1.0]]), np.array([[-0.5, 0.5], [0.5, 0.5]])]
    for size, brush in ((0.15, 6), (0.5, 20), (0.9, 30)):
        sheet = drawn.ink(drawn.place(cross, size, rng), brush)
        rows, columns = np.nonzero(sheet == 0)
        assert set(np.unique(sheet)) == {0, 255}
        assert np.ptp(rows) == pytest.approx(size * (drawn.PAD - 2 * drawn.MARGIN) + brush, abs=3)
        assert rows.min() >= 0
        assert columns.max() < drawn.PAD


def test_outcomes_are_counted_by_digit_size_and_brush() -> None:
    drawings = drawn.generate(60, seed=0)
    prepared = drawn.put_on_pad(drawings, drawn.Layout(), 0)
    outcome = drawn.score(prepared, [predicted(str(min(label, 7))) for label in drawings.labels])
    groups = outcome.groups()
    assert outcome.scores()["accuracy"] == pytest.approx(0.8)
    assert groups["digit 7"] == (6, 1.0)
    assert groups["digit 9"] == (6, 0.0)
    assert sum(count for name, (count, _) in groups.items() if name.startswith("size")) == 60
    assert sum(count for name, (count, _) in groups.items() if name.startswith("brush")) == 60


def test_verdicts_are_counted_and_a_rejection_is_wrong() -> None:
    prepared = drawn.put_on_pad(drawn.generate(10, seed=0), drawn.Layout(), 0)
    rejected, unsure = predicted("", 0.0, "rejected"), predicted("3", 0.6, "unsure")
    outcome = drawn.score(prepared, [rejected, predicted("1"), predicted("2"), unsure, *[predicted("0")] * 6])
    scores = outcome.scores()
    assert (scores["accuracy"], scores["sure"], scores["refused"]) == pytest.approx((0.3, 0.8, 0.1))
    assert scores["sure_accuracy"] == pytest.approx(2 / 8)
    assert scores["calibration_error"] == pytest.approx((8 * (0.9 - 2 / 8) + 1 * (1 - 0.6)) / 9)
    assert [caption for _, caption in outcome.worst(6)] == [f"{digit} as 0 90 %" for digit in range(4, 10)]
    assert outcome.worst(7)[6][1] == "0 as none 0 %"
    assert outcome.as_json()["groups"]["digit 1"] == {"count": 1, "accuracy": 1.0}


def test_the_brush_is_never_wider_than_a_fourth_of_the_drawing() -> None:
    prepared = drawn.put_on_pad(drawn.generate(200, seed=1), drawn.Layout(), 1)
    assert prepared.images.shape == (200, 28, 28, 1)
    assert (prepared.brushes <= np.maximum(6, prepared.sizes * 368 / 4)).all()
    assert prepared.sizes.min() < 0.2
    assert prepared.brushes.max() > 35


def test_writers_are_parted_in_halves_and_ranked() -> None:
    drawings = drawn.generate(40, seed=2)
    drawings = drawn.Drawings(drawings.strokes, drawings.labels, np.repeat([5, 9, 30, 31], 10))
    even, odd = (drawn.half_of_writers(drawings, odd) for odd in (False, True))
    assert (set(even.writers), set(odd.writers)) == ({5, 30}, {9, 31})
    prepared = drawn.put_on_pad(even, drawn.Layout(), 0)
    outcome = drawn.score(prepared, [predicted(str(label)) for label in even.labels[:10]] + [predicted("")] * 10)
    assert outcome.writer_accuracy(0, at_least=10) == 0
    assert outcome.writer_accuracy(100, at_least=10) == 1
    assert np.isnan(outcome.writer_accuracy(5))


def test_a_straight_stroke_labelled_as_another_digit_is_a_fragment() -> None:
    line, bent = np.array([[0, 0], [1, 50], [0, 100.0]]), np.array([[0, 0], [40, 50], [0, 100.0]])
    strokes, labels = [[line], [line], [bent], [line, line]], np.array([1, 4, 4, 4])
    prepared = drawn.put_on_pad(drawn.Drawings(strokes, labels, np.zeros(4, int)), drawn.Layout(), 0)
    assert prepared.fragments.tolist() == [False, True, False, False]
    outcome = drawn.score(prepared, [predicted("1"), predicted("1"), predicted("4"), predicted("4")])
    assert outcome.scores()["sure_accuracy"] == 0.75
    assert outcome.sure_accuracy_without_fragments() == 1


def predicted(label: str, confidence: float = 0.9, verdict: str = "sure") -> Prediction:
    return Prediction(label, confidence, np.zeros(10, np.float32), verdict, (), "1", None)


def test_a_stroke_file_is_read_back(tmp_path) -> None:
    path = tmp_path / "strokes.npz"
    points = np.arange(12, dtype=np.float32).reshape(6, 2)
    arrays = {"stroke_start": [0, 2, 4, 6], "digit_start": [0, 1, 3], "labels": [4, 2], "writers": [0, 1]}
    np.savez(path, points=points, **arrays)
    drawings = drawn.read_strokes(path)
    assert [len(strokes) for strokes in drawings.strokes] == [1, 2]
    assert np.array_equal(drawings.strokes[1][0], points[2:4])
    assert drawn.sample(drawings, 1, seed=0).labels.shape == (1,)


@given(data=st.binary(max_size=200))
def test_any_other_file_is_a_dataset_error(tmp_path_factory, data) -> None:
    path = tmp_path_factory.mktemp("strokes") / "strokes.npz"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="stroke file"):
        drawn.read_strokes(path)
