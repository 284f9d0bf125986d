"""One command's work: run the table's rows, choose the best on validation, register it, let the gate decide."""

import hashlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np

from experiments import embedding
from experiments.data.datasets import Dataset, Split
from experiments.data.specs import DatasetSpec
from experiments.data.synthesis.generate import Amounts, synthesise
from experiments.evaluation import held_out
from experiments.evaluation.gate import Decision, decide, standing
from experiments.evaluation.held_out import Exam
from experiments.evaluation.metrics import evaluate
from experiments.inference import bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Thresholds
from experiments.insights import plots
from experiments.insights.figures import Epoch
from experiments.registry import production
from experiments.registry.run_log import RunLog, RunSummary
from experiments.registry.store import RegistryError, Store
from experiments.training.config import PRODUCTION, RunConfig
from experiments.training.export import export
from experiments.training.progress import EpochResult, Listener, TerminalBar
from experiments.training.surgery import same_as, seen_once
from experiments.training.train import train, training_precision

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "ai-edge-litert", "mlflow")
RECIPE = (
    "data/synthesis/digits",
    "training/architectures",
    "training/augmentation",
    "evaluation/calibration",
    "evaluation/drawings",
    "evaluation/held_out",
    "data/synthesis/strokes",
    "preprocessing/ink",
    "data/synthesis/non_digits",
    "training/batch_norm",
    "preprocessing/photos",
    "preprocessing/drawings",
    "inference/tta",
    "preprocessing/decoding",
    "data/synthesis/outlier_photos",
    "data/synthesis/restyling",
    "data/synthesis/symbol_templates",
    "data/synthesis/generate",
    "data/synthesis/digit_templates",
    "training/train",
    "training/surgery",
    "training/batches",
)
AGREEMENT = 1_000  # test images on which Keras and LiteRT must agree


@dataclass(frozen=True)
class Result:
    """What came of the table: its runs in order, the best of them, its version, and what the gate said."""

    runs: tuple[RunSummary, ...]
    best: RunSummary
    version: str
    decision: Decision


def run_table(
    configs: Sequence[RunConfig],
    dataset: Dataset,
    store: Store,
    shipped: Path,
    say: Callable[[str], None] = print,
    prepare_exam: Callable[[Dataset], Exam] = held_out.prepare,
) -> Result:
    """Runs what has not been finished before, then registers the best and promotes it if the gate lets it."""
    seed(store, dataset.spec, shipped, say)
    extras: dict[tuple[Amounts, int], Split] = {}  # the runs share them, and the exam
    questions: Exam | None = None
    finished = []
    for config in (begin(row, store, dataset.spec) for row in configs):
        mark = fingerprint(config, dataset)
        if store.finished(dataset.spec.name, mark):
            say(f"{config.name}: finished before, skipped")
        else:
            key = (config.extra, config.seed)
            if key not in extras:
                extras[key] = synthesise(config.extra, dataset, config.seed)
            questions = questions or prepare_exam(dataset)
            run_one(config, dataset, extras[key], questions, store, mark)
        finished.append(store.finished(dataset.spec.name, mark))
    best = max(finished, key=lambda run: standing(run.metrics))
    return _register_best(tuple(finished), best, dataset, store)


def begin(config: RunConfig, store: Store, spec: DatasetSpec) -> RunConfig:
    """The run with its network; the Production model's, weights and all, if it goes on from there. Raises
    RegistryError if there is none."""
    if config.parent != PRODUCTION:
        return config
    champion = production.pull(store, spec)
    if champion is None:
        raise RegistryError(f"{config.name} goes on from the Production model, and there is none. Run the table first.")
    network = keras.saving.load_model(champion.keras, compile=False, safe_mode=True)
    return replace(config, build=same_as(seen_once(network)), parent=champion.run_id)


def run_one(config: RunConfig, dataset: Dataset, extra: Split, questions: Exam, store: Store, mark: str) -> None:
    """One row of the table as one MLflow run, from the first epoch to the exported bundle. mark: its fingerprint."""
    tags = {"fingerprint": mark, "mlflow.source.git.commit": git_commit()}
    with store.run(dataset.spec.name, config.name, config.reason, parameters(config, dataset), tags) as log:
        bar, history = TerminalBar(config.name, config.trainings * config.epochs), History(log)
        started = time.monotonic()
        try:
            model = train(config, dataset, extra, [bar, history])
        finally:
            bar.close()
        seconds = time.monotonic() - started
        log.log_metrics({"training_seconds": seconds, "parameters": model.count_params()})
        log.log_figure(plots.curves(f"{config.name}: {config.reason}", history.results), "curves.png")
        measure(model, dataset, questions, log, history.results)


def measure(
    model: keras.Model, dataset: Dataset, questions: Exam, log: RunLog, history: Sequence[EpochResult]
) -> Thresholds:
    """Calibrates the model, logs the nine test metrics and what models are chosen on, and exports it with them and
    the figures that explain it. Returns the thresholds of its verdicts."""
    names = dataset.spec.class_names
    thresholds = held_out.calibrate(model, questions, dataset.spec)
    outputs, hidden = embedding.embed(model, dataset.test.images, dataset.spec)
    test = evaluate(outputs, dataset.test.labels, names)
    answers = held_out.outputs(model, dataset.validation.images, dataset.spec)
    validation = evaluate(answers, dataset.validation.labels, names)
    metrics = {f"test_{name}": value for name, value in test.scalars().items()}
    metrics |= {f"validation_{k}": getattr(validation, k) for k in ("accuracy", "log_loss", "calibration_error")}
    if outcome := held_out.sit(model, questions, thresholds, dataset.spec):
        metrics |= {f"drawn_{name}": value for name, value in outcome.scores().items()}
        metrics["negatives_refused"] = held_out.refused(model, questions, thresholds, dataset.spec)
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
        curves = [Epoch.of(result) for result in history]
        embedding.explain(exported, dataset, outputs, hidden, outcome, curves)
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


def seed(store: Store, spec: DatasetSpec, shipped: Path, say: Callable[[str], None]) -> None:
    """An empty registry starts with the model that came with the repository."""
    try:
        if production.seed_shipped(store, spec, bundle.read(shipped)):
            say("The registry was empty: the shipped model is version 1, in Production.")
    except bundle.BundleError as error:
        say(f"The registry starts without the shipped model. {error}")


def _register_best(runs: tuple[RunSummary, ...], best: RunSummary, dataset: Dataset, store: Store) -> Result:
    """The best is always a version; it takes Production only through the gate."""
    spec = dataset.spec
    number = best.version or production.register(store, spec, best.run_id)
    champion = production.production(store, spec)
    if champion is not None and champion.version == number:
        decision = Decision(True, "it was there already")
    else:
        decision = decide(best.metrics, champion.metrics if champion else None)
        production.note_gate(store, spec, number, decision)
    if decision.promote:  # again too: it mends what an interruption left undone
        production.promote(store, spec, number, decision.reason, "gate")
    return Result(runs, best, number, decision)


def parameters(config: RunConfig, dataset: Dataset) -> dict[str, object]:
    """Everything that made the run what it is."""
    shown = {k: v for k, v in asdict(config).items() if k not in ("name", "reason", "build", "augment", "extra")}
    shown |= {f"extra_{kind}": count for kind, count in asdict(config.extra).items()}
    shown |= {"architecture": config.build.__name__, "augmentation": config.augment.__name__}
    shown |= {"precision": training_precision()}
    shown |= {"dataset": dataset.spec.name, "dataset_digest": dataset.digest}
    return shown | {f"version_{package}": version(package) for package in PACKAGES}


def fingerprint(config: RunConfig, dataset: Dataset) -> str:
    """The same settings, data and recipe have the same fingerprint, so that finished work is known again."""
    functions = {name: getattr(config, name).__name__ for name in ("build", "augment")}
    settings = sorted((asdict(config) | functions).items())
    recipe = [(Path(__file__).parent / f"{module}.py").read_text() for module in RECIPE]
    return hashlib.sha256(repr((settings, dataset.digest, recipe)).encode()).hexdigest()[:16]


def git_commit() -> str:
    """Of the code that runs; "unknown" in a copy without git."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


class History(Listener):
    """Keeps each epoch's figures and sends them to MLflow."""

    def __init__(self, log: RunLog) -> None:
        self.results: list[EpochResult] = []
        self._log = log

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Batches are of no interest here."""

    def epoch(self, result: EpochResult) -> None:
        """One point on each of MLflow's four curves."""
        self.results.append(result)
        figures = {k: getattr(result, k) for k in ("loss", "accuracy", "val_loss", "val_accuracy")}
        self._log.log_metrics(figures, step=result.epoch)
