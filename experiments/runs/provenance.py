"""What made a run what it is: parameters, fingerprint, commit."""

import hashlib
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from experiments.data.datasets import Dataset
from experiments.training.config import RunConfig
from experiments.training.train import training_precision

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
