"""Laying out and inking strokes on the pad, and counting what was read right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import drawn
from experiments.datasets import DatasetError


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
    seen = iter(drawings.labels)
    outcome = drawn.answer(drawings, drawn.Layout((0.15, 0.9), (6, 28)), 0, lambda _: str(min(next(seen), 7)))
    groups = outcome.groups()
    assert outcome.accuracy == pytest.approx(0.8)
    assert groups["digit 7"] == (6, 1.0)
    assert groups["digit 9"] == (6, 0.0)
    assert sum(count for name, (count, _) in groups.items() if name.startswith("size")) == 60
    assert sum(count for name, (count, _) in groups.items() if name.startswith("brush")) == 60


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
def test_any_other_file_is_refused_in_words(tmp_path_factory, data) -> None:
    path = tmp_path_factory.mktemp("strokes") / "strokes.npz"
    path.write_bytes(data)
    with pytest.raises(DatasetError, match="stroke file"):
        drawn.read_strokes(path)
