import dataclasses

import numpy as np
import pytest

from experiments.data import label_errors
from experiments.data.specs import SPECS
from experiments.evaluation import drawings, held_out
from experiments.inference.predictions import Thresholds, predictions
from experiments.insights.measuring import refusal_curve, sample
from tests.helpers.figures import SPEC, dataset, figures


@pytest.fixture(scope="module")
def measured():
    return figures()


def test_every_image_is_counted_in_its_split_and_cell(measured):
    insights, _ = measured
    assert insights.counts == {"train": (30, 30, 30), "validation": (10, 10, 10), "test": (40, 40, 40)}
    assert insights.confusion == ((38, 2, 0), (0, 39, 1), (0, 0, 40))
    assert sum(insights.right) == 117
    assert sum(insights.wrong) == 3
    assert insights.wrong[19] == 1  # the one of 97 %


def test_precision_recall_and_f1_are_those_of_sklearn(measured):
    from sklearn.metrics import precision_recall_fscore_support

    insights, _ = measured
    pairs = [(t, p) for t in range(3) for p in range(3) for _ in range(insights.confusion[t][p])]
    expected = precision_recall_fscore_support(*zip(*pairs, strict=True))[:3]
    np.testing.assert_allclose(insights.scores(), expected)


def test_pictures_show_the_images_that_they_name(measured):
    insights, tiles = measured
    test = dataset().test
    assert [(picture.true, picture.predicted, picture.confidence) for picture in insights.worst] == [
        (0, 1, 0.97), (1, 2, 0.7), (0, 1, 0.6),
    ]  # fmt: skip
    for picture, place in zip(insights.worst, (0, 1, 3), strict=True):
        np.testing.assert_array_equal(tiles[picture.tile], test.images[place])
    assert [picture.tile for picture in insights.cell(0, 1)] == [insights.worst[0].tile, insights.worst[2].tile]
    assert len(insights.cell(2, 2)) == 8
    assert insights.cell(2, 0) == []


def test_averages_and_channels_are_of_the_training_images(measured):
    insights, tiles = measured
    train = dataset().train
    np.testing.assert_array_equal(tiles[insights.averages[1]], train.images[train.labels == 1].mean(0).round())
    assert sum(insights.channels["grey"]) == pytest.approx(1, abs=1e-4)
    colour = dataclasses.replace(SPEC, image_shape=(8, 6, 3))
    assert list(figures(spec=colour)[0].channels) == ["red", "green", "blue"]


def test_reliability_has_every_answer_and_the_known_error(measured):
    insights, _ = measured
    assert sum(step.count for step in insights.calibration) == 120
    assert insights.calibration_error == pytest.approx((117 * 0.2 + 0.97 + 0.7 + 0.6) / 120, abs=0.02)


def test_classes_apart_in_the_embedding_are_apart_on_the_map(measured):
    insights, _ = measured
    places = np.array([(point.x, point.y) for point in insights.points])
    labels = np.array([point.true for point in insights.points])
    distances = np.linalg.norm(places[:, None] - places, axis=2) + np.diag(np.full(len(places), np.inf))
    assert (labels[distances.argmin(1)] == labels).all()
    assert all(picture.true == 1 for picture in (*insights.typical[1], *insights.unusual[1]))


def test_a_curve_rises_and_its_area_is_that_of_sklearn(measured):
    insights, _ = measured
    for curve in insights.roc:
        assert (np.diff(curve.true_positives) >= 0).all()
        assert 0.9 < curve.area <= 1


def test_drawings_are_grouped_by_size_brush_and_turn():
    sheets = drawings.put_on_pad(drawings.generate(30, 0), drawings.Layout(), 0)
    outputs = np.eye(11, dtype=np.float32)[sheets.labels]
    outputs[:3] = np.eye(11)[(sheets.labels[:3] + 1) % 10]
    names = SPECS["mnist"].class_names
    outcome = drawings.score(sheets, predictions(sheets.images, outputs, names, Thresholds(), ""))
    groups = figures(outcome=outcome)[0].drawings
    assert set(groups) == {"size", "brush", "turn"}
    for group in groups.values():
        assert sum(step.count for step in group) == 30
        assert sum(step.count * step.accuracy for step in group) == pytest.approx(27, abs=0.01)


def test_the_held_out_drawings_are_the_same_each_time():
    np.testing.assert_array_equal(held_out.generate_drawings(5).images, held_out.generate_drawings(5).images)


def test_a_sample_is_even_and_in_order():
    chosen = sample(np.array([0] * 50 + [1] * 10), 16)
    assert (np.diff(chosen) > 0).all()
    assert (chosen < 50).sum() == 8
    assert len(sample(np.zeros(5, int), 100)) == 5


def test_a_label_is_noted_only_where_it_is_the_published_one():
    assert label_errors.note("mnist", 947, "8") == "label error: people see 9"
    assert "disagree" in label_errors.note("mnist", 2130, "4")
    assert label_errors.note("mnist", 947, "3") == label_errors.note("mnist", 1, "2") == ""
    assert label_errors.note("dots", 947, "8") == ""


def test_the_curve_of_rejections_has_the_models_own_threshold_and_falls():
    rng = np.random.default_rng(0)
    curve = refusal_curve(rng.beta(0.2, 5, 500), rng.beta(5, 0.5, 300), 0.375)
    assert curve.counts == (500, 300)
    assert curve.threshold in curve.thresholds
    assert list(curve.thresholds) == sorted(curve.thresholds)
    for shares in (curve.digits, curve.non_digits):
        assert (np.diff(shares) <= 0).all()
    digits, non_digits = curve.at_threshold()
    assert digits < 0.1
    assert non_digits > 0.9
    assert curve.area > 0.95 > curve.false_positive_rate
