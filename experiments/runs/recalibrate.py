"""Fit the thresholds of a bundle's verdicts anew; its networks stay as they are."""

from collections.abc import Callable
from dataclasses import replace

from experiments.data.datasets import Dataset
from experiments.evaluation import held_out
from experiments.evaluation.held_out import HeldOut
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Thresholds
from experiments.insights import figures
from experiments.insights.figures import InsightsError
from experiments.insights.measuring import drawing_groups
from experiments.runs.measure import evaluation_sets, predict_sets, refusal_of, score_drawings, verdict_metrics


def recalibrate(
    bundle: Bundle,
    dataset: Dataset,
    log_line: Callable[[str], None] = print,
    prepare_held_out: Callable[[Dataset], HeldOut] = held_out.prepare,
) -> Bundle:
    """Fit the thresholds on validation and on generated images, and write them into the bundle, with the metrics and
    figures that depend on them. Returns the bundle as it is now."""
    model, spec = LiteRTModel(bundle.tflite), dataset.spec
    log_line("1/3 Generating drawings ...")
    data = prepare_held_out(dataset)
    log_line(f"2/3 Reading {len(data.calibration.labels):,} images to fit the thresholds on ...")
    thresholds = held_out.fit_thresholds(model, data, spec)
    log_line("3/3 Reading what the model is evaluated on ...")
    predictions = predict_sets(model, evaluation_sets(dataset, data), thresholds, spec)
    outcome = score_drawings(data, predictions)
    metrics = {**bundle.metrics, **verdict_metrics(outcome, predictions)}
    renewed = replace(bundle, thresholds=thresholds, metrics=metrics)
    bundles.write_manifest(renewed)
    try:
        explained = figures.read(renewed)
    except InsightsError:
        return renewed  # without figures there are none to renew
    groups = drawing_groups(outcome) if outcome else explained.drawings
    refusal = refusal_of(predictions, thresholds)
    figures.write_without_tiles(replace(explained, drawings=groups, refusal=refusal), renewed.folder)
    return renewed


def describe(thresholds: Thresholds) -> str:
    """Word the thresholds for the terminal."""
    pairs = (f"unsure of a {pair.answer} from {pair.above:.4f} for {pair.rival}" for pair in thresholds.rivals)
    return ", ".join([f"sure from {thresholds.sure:.4f}", f"rejected above {thresholds.refuse:.4f}", *pairs])
