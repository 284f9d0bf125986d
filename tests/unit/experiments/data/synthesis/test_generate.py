"""Synthetic images: kinds, amounts, labels and seeds."""

import dataclasses
import subprocess
import sys

import numpy as np
import psutil
import pytest

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.data.synthesis import generate, restyling
from experiments.data.synthesis.digits import draw_digits
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.data.synthesis.non_digits import draw_non_digits
from experiments.data.synthesis.strokes import parse
from experiments.data.synthesis.symbol_templates import SYMBOLS
from settings import ROOT

LABELS = np.arange(10).repeat(12)
DIGITS = Split(draw_digits(Split(np.empty(0), LABELS), np.random.default_rng(0)), LABELS)
DATASET = Dataset(SPECS["mnist"], DIGITS, DIGITS, DIGITS, digest="0" * 64)


def test_kinds_come_in_the_amounts_asked_for_with_their_labels() -> None:
    split = synthesise(Amounts(drawn=30, restyled=20, non_digits=10, ambiguous=5), DATASET, seed=0)
    assert split.images.shape == (65, 28, 28, 1)
    assert split.images.dtype == np.uint8
    assert (split.images.max((1, 2, 3)) > 127).all()
    assert (split.labels[:50] < 10).all()
    assert (split.labels[50:60] == 10).all()
    assert (split.labels[60:] == DATASET.spec.outputs).all()


def test_the_same_seed_gives_the_same_images_in_one_process_or_several() -> None:
    amounts = Amounts(drawn=generate.CHUNK, non_digits=40)
    several = synthesise(amounts, DATASET, seed=1)
    one = synthesise(dataclasses.replace(amounts, non_digits=0), DATASET, seed=1)
    assert np.array_equal(several.images[: generate.CHUNK], one.images)
    assert not np.array_equal(one.images, synthesise(Amounts(drawn=generate.CHUNK), DATASET, seed=2).images)


MANY = """
if __name__ == "__main__":
    from experiments.data.synthesis.generate import Amounts, synthesise
    from tests.unit.experiments.data.synthesis.test_generate import DATASET
    synthesise(Amounts(drawn=100_000), DATASET, seed=0)
"""


def test_no_process_outlives_the_one_that_was_killed(tmp_path) -> None:
    (tmp_path / "many.py").write_text(MANY)
    path = {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, tmp_path / "many.py"], env=path, stderr=subprocess.DEVNULL) as killed:
        while len(children := psutil.Process(killed.pid).children()) < 2:  # the pool's, and multiprocessing's own
            assert killed.poll() is None
        killed.kill()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []


def test_nothing_asked_for_is_nothing() -> None:
    assert synthesise(Amounts(), DATASET, seed=0).images.shape == (0, 28, 28, 1)


@pytest.mark.parametrize("digit", [0, 1, 7, 9])
def test_styles_change_a_share_of_a_digit_and_keep_the_rest(digit) -> None:
    chosen = np.flatnonzero(LABELS - digit == 0)
    some = Split(DIGITS.images[chosen], LABELS[chosen])
    plain = Split(some.images, np.full_like(some.labels, 3))  # a digit that no style is made of
    restyled, kept = (restyling.restyle(split, np.random.default_rng(0)) for split in (some, plain))
    changed = (np.abs(restyled.astype(int) - kept).mean((1, 2, 3)) > 4).sum()
    assert 0 < changed < len(some.labels)


def test_non_digits_all_differ_and_have_ink() -> None:
    images = draw_non_digits(DIGITS, np.random.default_rng(0))
    assert images.shape == DIGITS.images.shape
    assert len({image.tobytes() for image in images}) == len(images)
    assert (images.max((1, 2, 3)) > 127).all()


def test_symbols_are_strokes_on_their_sheet() -> None:
    points = [np.concatenate(parse(template)) for templates in SYMBOLS.values() for template in templates]
    assert min(stroke.min() for stroke in points) >= 0
    assert max(stroke.max() for stroke in points) <= 1
