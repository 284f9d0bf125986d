"""Measure a trained model: ask it once about every set, then evaluate, log and export what it answered."""

import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec, Split
from experiments.evaluation import drawings, held_out
from experiments.evaluation.comparison import DRAWINGS, NON_DIGITS, VALIDATION
from experiments.evaluation.drawings import Outcome
from experiments.evaluation.held_out import HeldOut
from experiments.evaluation.metrics import Report, evaluate
from experiments.inference import drift_reference
from experiments.inference.bundle import TFLITE, Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Prediction, Thresholds, predict
from experiments.inference.tta import Model, refine_with_tta
from experiments.insights import figures as insights
from experiments.insights import plots
from experiments.insights.figures import Refusal
from experiments.insights.measuring import compute_figures, refusal_curve
from experiments.registry.run_log import RunLog
from experiments.training.export import export
from experiments.training.progress import Epoch

TIMED_CALLS = 100

Predictions = dict[str, list[Prediction]]
"""What a model answers, by name of the set."""


def measure(
    model: keras.Model,
    dataset: Dataset,
    held_out_data: HeldOut,
    log: RunLog,
    epochs: Sequence[Epoch],
    sets: Mapping[str, Split] | None = None,
) -> Predictions:
    """Calibrate a trained model in its own weights, log its metrics, and export it with the figures that explain it.

    sets: what to ask about; None: `evaluation_sets`. Returns the predictions for them.
    """
    spec = dataset.spec

    # 1. Calibrate.
    thresholds = held_out.calibrate(model, held_out_data, spec)

    # 2. Ask about every set, once.
    outputs, hidden = embed(model, dataset.test.images, spec)
    sets = sets or evaluation_sets(dataset, held_out_data)
    predictions = predict_sets(held_out.as_function(model), sets, thresholds, spec)

    # 3. Evaluate.
    test = evaluate(outputs, dataset.test.labels, spec.class_names)
    outcome = score_drawings(held_out_data, predictions)
    metrics = _metrics(test, outcome, predictions, dataset)

    # 4. Log.
    log.log_metrics(metrics)
    _log_reports(test, outcome, dataset, sets, log)

    # 5. Export, explain, and time the export.
    with tempfile.TemporaryDirectory() as folder:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        bundle = export(model, Path(folder) / "bundle", dataset, metrics, thresholds, log.run_id, trained_at=now)
        write_insights(bundle, dataset, outputs, hidden, outcome, refusal_of(predictions, thresholds), epochs)
        log.log_metrics(_cost(bundle, dataset.test.images[:1]))
        log.log_bundle(bundle.folder)
        log.log_model(bundle.folder, spec)
    return predictions


def _log_reports(
    test: Report, outcome: Outcome | None, dataset: Dataset, sets: Mapping[str, Split], log: RunLog
) -> None:
    spec = dataset.spec
    log.log_dataset(spec.name, dataset.test, "test")
    for name, split in sets.items():
        published = name == VALIDATION
        log.log_dataset(spec.name if published else name, split, name if published else "evaluation")
    log.log_json(test.as_json(), "report.json")
    matrix = plots.confusion_matrix("Official test set", test.confusion, spec.class_names)
    log.log_figure(matrix, "confusion_matrix.png")
    if outcome is not None:
        log.log_json(outcome.as_json(), "drawn.json")
        log.log_figure(plots.contact_sheet("Worst mistakes on generated drawings", outcome.worst()), "drawn.png")


def evaluation_sets(dataset: Dataset, held_out_data: HeldOut) -> dict[str, Split]:
    """Name the sets, beside the test split, that models are evaluated on."""
    sets = {VALIDATION: dataset.validation}
    if held_out_data.drawings is not None:
        sets[DRAWINGS] = Split(held_out_data.drawings.images, held_out_data.drawings.labels)
    if held_out_data.non_digits is not None:
        sets[NON_DIGITS] = held_out_data.non_digits
    return sets


def predict_sets(model: Model, sets: Mapping[str, Split], thresholds: Thresholds, spec: DatasetSpec) -> Predictions:
    """Ask a calibrated model about every set."""
    return {name: predict(model, split.images, spec, thresholds) for name, split in sets.items()}


def score_drawings(held_out_data: HeldOut, predictions: Predictions) -> Outcome | None:
    """Score the answers to the held-out drawings; None where there are none."""
    drawn = held_out_data.drawings
    return None if drawn is None else drawings.score(drawn, predictions[DRAWINGS])


def refusal_of(predictions: Predictions, thresholds: Thresholds) -> Refusal | None:
    """What is rejected of the held-out digits and non-digits by threshold; None without non-digits."""
    if NON_DIGITS not in predictions:
        return None
    digits, non_digits = (
        np.array([prediction.reject_probability for name in names for prediction in predictions[name]])
        for names in ((VALIDATION, DRAWINGS), (NON_DIGITS,))
    )
    return refusal_curve(digits, non_digits, thresholds.refuse)


def embed(model: keras.Model, images: np.ndarray, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return a model's outputs as served, float32 [N, K or K + 1], and what its layer before the last makes of the
    images without test-time augmentation, float32 [N, D]. images: uint8 [N, H, W, C]."""
    both = keras.Model(model.inputs, [model.outputs[0], model.layers[-1].input])
    outputs, hidden = held_out.as_function(both)(images)
    outputs = refine_with_tta(held_out.as_function(model), images, outputs, spec.views)
    return outputs, hidden.reshape(len(images), -1)


def write_insights(
    bundle: Bundle,
    dataset: Dataset,
    outputs: np.ndarray,
    hidden: np.ndarray,
    outcome: Outcome | None,
    refusal: Refusal | None,
    epochs: Sequence[Epoch],
) -> None:
    """Write the figures of a calibrated model, and the reference for its traffic, into its bundle.

    outputs, hidden: of the test set, as `embed` gives them; outcome, refusal: if the data set has drawings.
    """
    figures, tiles = compute_figures(
        dataset,
        outputs,
        hidden,
        outcome=outcome,
        refusal=refusal,
        curves=epochs,
        model_sha256=bundle.sha256[TFLITE],
    )
    insights.write(figures, tiles, bundle.folder)
    drift_reference.write(drift_reference.measure(dataset.test.images, outputs, len(bundle.class_names)), bundle.folder)


def explain_bundle(bundle: Bundle, dataset: Dataset, epochs: Sequence[Epoch]) -> None:
    """Write the same for a model that was measured before."""
    model = keras.saving.load_model(bundle.keras, compile=False, safe_mode=True)
    outcome = refusal = None
    if dataset.spec.has_reject_class:
        data = held_out.prepare(dataset)
        sets = evaluation_sets(dataset, data)
        predictions = predict_sets(held_out.as_function(model), sets, bundle.thresholds, dataset.spec)
        outcome, refusal = score_drawings(data, predictions), refusal_of(predictions, bundle.thresholds)
    write_insights(bundle, dataset, *embed(model, dataset.test.images, dataset.spec), outcome, refusal, epochs)


def _metrics(test: Report, outcome: Outcome | None, predictions: Predictions, dataset: Dataset) -> dict[str, float]:
    """The metrics of the test split, and those that models are chosen by."""
    probabilities = np.stack([prediction.probabilities for prediction in predictions[VALIDATION]])
    validation = evaluate(probabilities, dataset.validation.labels, dataset.spec.class_names)
    metrics = {f"test_{name}": value for name, value in test.scalars().items()}
    metrics |= {f"validation_{k}": getattr(validation, k) for k in ("accuracy", "log_loss", "calibration_error")}
    return metrics | verdict_metrics(outcome, predictions)


def verdict_metrics(outcome: Outcome | None, predictions: Predictions) -> dict[str, float]:
    """The metrics that depend on the thresholds of verdicts: of drawings and non-digits."""
    if outcome is None:
        return {}
    rejected = [prediction.label == "" for prediction in predictions[NON_DIGITS]]
    drawn = {f"drawn_{name}": value for name, value in outcome.scores().items()}
    return drawn | {"negatives_refused": sum(rejected) / len(rejected)}


def _cost(exported: Bundle, image: np.ndarray) -> dict[str, float]:
    """What serving takes: the size of the LiteRT file, and the median time of one image, uint8 [1, H, W, C]."""
    model, seconds = LiteRTModel(exported.tflite), []
    for _ in range(TIMED_CALLS):
        started = time.perf_counter()
        model(image)
        seconds.append(time.perf_counter() - started)
    return {
        "model_megabytes": exported.tflite.stat().st_size / 1e6,
        "litert_milliseconds": 1000 * statistics.median(seconds),
    }
