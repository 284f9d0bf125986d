"""Everything measured of a trained model, once: metrics, answers, and where the layer before them puts the images."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import keras
import numpy as np

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec
from experiments.evaluation import held_out
from experiments.evaluation.drawings import Outcome
from experiments.evaluation.held_out import HeldOut
from experiments.evaluation.metrics import evaluate
from experiments.inference import bundle, drift_reference
from experiments.inference.bundle import TFLITE, Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Thresholds
from experiments.inference.tta import predict_with_tta, refine_with_tta
from experiments.insights import figures as insights
from experiments.insights import plots
from experiments.insights.measuring import compute_figures
from experiments.registry.run_log import RunLog
from experiments.training.export import export
from experiments.training.progress import Epoch

AGREEMENT = 1_000  # test images on which Keras and LiteRT must agree


def write_insights(
    bundle: Bundle,
    dataset: Dataset,
    outputs: np.ndarray,
    hidden: np.ndarray,
    outcome: Outcome | None,
    curves: Sequence[Epoch],
) -> None:
    """Writes the figures of a calibrated model, and the reference for its traffic, into its bundle. outputs, hidden:
    of the test set, as `embed` gives them; outcome: of drawings, if the data set has them."""
    sha256 = bundle.sha256[TFLITE]
    figures, tiles = compute_figures(dataset, outputs, hidden, outcome=outcome, curves=curves, model_sha256=sha256)
    insights.write(figures, tiles, bundle.folder)
    drift_reference.write(drift_reference.measure(dataset.test.images, outputs, len(bundle.class_names)), bundle.folder)


def explain_bundle(bundle: Bundle, dataset: Dataset, curves: Sequence[Epoch]) -> None:
    """The same for a model that was measured before."""
    model = keras.saving.load_model(bundle.keras, compile=False, safe_mode=True)
    outcome = None
    if dataset.spec.has_reject_class:
        outcome = held_out.evaluate_drawings(model, held_out.generate_drawings(), bundle.thresholds, dataset.spec)
    write_insights(bundle, dataset, *embed(model, dataset.test.images, dataset.spec), outcome, curves)


def embed(model: keras.Model, images: np.ndarray, spec: DatasetSpec) -> tuple[np.ndarray, np.ndarray]:
    """images: uint8 [N, H, W, C]. Returns outputs as served, float32 [N, K or more], and what the layer before makes of
    each image at first sight, float32 [N, D]."""
    both = keras.Model(model.inputs, [model.outputs[0], model.layers[-1].input])
    outputs, hidden = both.predict(images, batch_size=500, verbose=0)
    outputs = refine_with_tta(held_out.as_function(model), images, outputs, spec.views)
    return outputs, hidden.reshape(len(images), -1)


def measure(
    model: keras.Model, dataset: Dataset, questions: HeldOut, log: RunLog, history: Sequence[Epoch]
) -> Thresholds:
    """Calibrates the model, logs the nine test metrics and what models are chosen on, and exports it with them and
    the figures that explain it. Returns the thresholds of its verdicts."""
    names = dataset.spec.class_names
    thresholds = held_out.calibrate(model, questions, dataset.spec)
    outputs, hidden = embed(model, dataset.test.images, dataset.spec)
    test = evaluate(outputs, dataset.test.labels, names)
    answers = predict_with_tta(held_out.as_function(model), dataset.validation.images, dataset.spec.views)
    validation = evaluate(answers, dataset.validation.labels, names)
    metrics = {f"test_{name}": value for name, value in test.scalars().items()}
    metrics |= {f"validation_{k}": getattr(validation, k) for k in ("accuracy", "log_loss", "calibration_error")}
    outcome = None
    if questions.drawings is not None and questions.non_digits is not None:
        outcome = held_out.evaluate_drawings(model, questions.drawings, thresholds, dataset.spec)
        metrics |= {f"drawn_{name}": value for name, value in outcome.scores().items()}
        images = questions.non_digits.images
        metrics["negatives_refused"] = held_out.rejection_rate(model, images, thresholds, dataset.spec)
        log.log_json(outcome.as_json(), "drawn.json")
        log.log_figure(plots.contact_sheet("Worst mistakes on generated drawings", outcome.worst()), "drawn.png")
    log.log_metrics(metrics)
    log.log_json(test.as_json(), "report.json")
    log.log_figure(plots.confusion_matrix("Official test set", test.confusion, names), "confusion_matrix.png")
    log.log_keras_model(model, dataset.test.images[:2])
    with tempfile.TemporaryDirectory() as folder:
        exported = export(
            model,
            Path(folder) / "bundle",
            spec=dataset.spec,
            metrics=metrics,
            thresholds=thresholds,
            run_id=log.run_id,
            data_digest=dataset.digest,
            trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
            sample_images=dataset.test.images[:AGREEMENT],
        )
        write_insights(exported, dataset, outputs, hidden, outcome, history)
        log.log_metrics(cost(exported, dataset.test.images[:1]))
        log.log_bundle(exported.folder)
    return thresholds


def cost(exported: bundle.Bundle, image: np.ndarray) -> dict[str, float]:
    """What answering takes: the size of the LiteRT file, and the median time of one image, uint8 [1, H, W, C]."""
    model, seconds = LiteRTModel(exported.tflite), []
    for _ in range(100):
        started = time.perf_counter()
        model(image)
        seconds.append(time.perf_counter() - started)
    return {
        "model_megabytes": exported.tflite.stat().st_size / 1e6,
        "litert_milliseconds": 1000 * statistics.median(seconds),
    }
