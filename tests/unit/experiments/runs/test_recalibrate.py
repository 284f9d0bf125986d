"""Thresholds fitted anew for a copy of the shipped bundle, on few drawings."""

import json
import shutil
from functools import partial

import numpy as np
import pytest

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.evaluation import drawings, held_out
from experiments.inference import bundle as bundles
from experiments.inference.predictions import Thresholds
from experiments.insights import figures
from experiments.runs.recalibrate import describe, recalibrate
from settings import ROOT


def ignore(_line: str) -> None:
    """No progress to read."""


few = partial(held_out.prepare, calibration_drawings=150, evaluation_drawings=40)


@pytest.fixture(scope="module")
def dataset():
    prepared = drawings.put_on_pad(drawings.generate(120, 7), drawings.Layout(), 7)
    images, labels = prepared.images, prepared.labels
    parts = [Split(images[start : start + 40], labels[start : start + 40]) for start in (0, 40, 80)]
    return Dataset(SPECS["mnist"], *parts, digest="0" * 64)


@pytest.fixture
def older(tmp_path):
    """The shipped bundle with thresholds as an earlier version wrote them."""
    folder = shutil.copytree(ROOT / "models" / "mnist", tmp_path / "mnist")
    manifest = json.loads((folder / "model.json").read_text())
    manifest["thresholds"] = {"sure": 0.5, "refuse": 0.999999}
    (folder / "model.json").write_text(json.dumps(manifest))
    return bundles.read(folder)


def test_thresholds_are_renewed_and_networks_kept(older, dataset):
    networks = {path.name: path.read_bytes() for path in (older.tflite, older.keras)}
    lines = []
    renewed = recalibrate(older, dataset, lines.append, few)
    assert renewed == bundles.read(older.folder)
    assert renewed.sha256 == older.sha256
    assert networks == {path.name: path.read_bytes() for path in (renewed.tflite, renewed.keras)}
    assert 0 < renewed.thresholds.refuse < older.thresholds.refuse
    assert renewed.thresholds.sure != older.thresholds.sure
    assert [line[:3] for line in lines] == ["1/3", "2/3", "3/3"]


def test_what_depends_on_the_thresholds_is_measured_again(older, dataset):
    before = figures.read(older)
    renewed = recalibrate(older, dataset, ignore, few)
    changed = {name for name, value in renewed.metrics.items() if value != older.metrics[name]}
    assert "negatives_refused" in changed
    assert all(name.startswith(("drawn_", "negatives_")) for name in changed)
    after = figures.read(renewed)
    assert after.refusal.threshold == renewed.thresholds.refuse
    assert after.refusal.counts == (80, 40)
    assert (after.confusion, after.points, after.worst) == (before.confusion, before.points, before.worst)
    np.testing.assert_array_equal(figures.read_tiles(renewed), figures.read_tiles(older))


def test_a_bundle_without_figures_gets_none(older, dataset):
    (older.folder / "insights.json").unlink()
    renewed = recalibrate(older, dataset, ignore, few)
    assert renewed.thresholds != older.thresholds
    assert not (older.folder / "insights.json").exists()


def test_thresholds_are_described():
    assert describe(Thresholds(0.9, 0.4)) == "sure from 0.9000, rejected above 0.4000"
