"""Identify what made a run: its parameters, fingerprint and git commit."""

import ast
import functools
import hashlib
import json
import lzma
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from experiments.data.datasets import Dataset
from experiments.training.config import RunConfig
from experiments.training.train import training_precision

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "ai-edge-litert", "mlflow")
EXPERIMENTS = Path(__file__).parents[1]
MAKING = (
    *("data/**/*.py", "preprocessing/*.py", "training/*.py", "inference/tta.py"),
    *("evaluation/calibration.py", "evaluation/drawings.py", "evaluation/held_out.py"),
)
"""The code that determines a trained network."""
EARLIER_CODE = (
    "6544859738bc832b6c3a0078e0d5b736ff088334bf5c2dd3517f31ad02be4e85",
    "97863397b44d31085ba6a2a1ba38872f0b3fd3663c7e51f988e33f74485031eb",
    "31a5121cb3a9a370c26349601e96a75013f41740aea9c1258df216aa350a0674",
    "3dfded8608a545973cfe4773752f55df2a9c2760a16414489df9d31c4e9cbeed",
    "5ad2a95272ee8cb00cf59c3506f60822810af5b36b5562ffa222b955f5dd7c7b",
)
"""Digests of that code in earlier versions that make the same networks. Add the last version's when renaming or
simplifying; clear this and EARLIER_RECIPE when a run's result changes."""
EARLIER_RECIPE = Path(__file__).with_name("earlier_recipe.json.xz")
"""The text of the files, comments included, from which the first fingerprints were made."""
RECORDED_NAMES = {
    "non_digits": "negatives",
    "outlier_photos": "strangers",
    "parent_weight": "kept",
    "unchanged": "leave",
}
"""Names of settings and functions as recorded in fingerprints and MLflow's parameters, by the code's newer names."""


def parameters(config: RunConfig, dataset: Dataset) -> dict[str, object]:
    """The parameters of a run to log: its settings, data, precision and package versions."""
    settings = _settings(config)
    extra = {f"extra_{_recorded(kind)}": count for kind, count in asdict(config.extra).items()}
    return {
        **{name: settings[name] for name in settings if name not in ("name", "reason", "build", "augment", "extra")},
        **extra,
        "architecture": settings["build"],
        "augmentation": settings["augment"],
        "precision": training_precision(),
        "dataset": dataset.spec.name,
        "dataset_digest": dataset.digest,
        **{f"version_{package}": version(package) for package in PACKAGES},
    }


def fingerprints(config: RunConfig, dataset: Dataset) -> tuple[str, ...]:
    """The fingerprint of settings, data and code, by which a finished run is recognised, and those that earlier
    versions of the project gave the same run."""
    settings = sorted(_settings(config).items())
    recipe = json.loads(lzma.decompress(EARLIER_RECIPE.read_bytes()))
    return tuple(
        hashlib.sha256(repr((settings, dataset.digest, code)).encode()).hexdigest()[:16]
        for code in (code_digest(), *EARLIER_CODE, recipe)
    )


def _settings(config: RunConfig) -> dict[str, object]:
    """The settings of a run under their recorded names, functions by name."""
    functions = {name: _recorded(getattr(config, name).__name__) for name in ("build", "augment")}
    extra = {_recorded(kind): count for kind, count in asdict(config.extra).items()}
    return {_recorded(name): value for name, value in (asdict(config) | functions | {"extra": extra}).items()}


def _recorded(name: str) -> str:
    return RECORDED_NAMES.get(name, name)


@functools.cache
def code_digest() -> str:
    """SHA-256, in hexadecimal, of the code that determines a network."""
    files = sorted({path for pattern in MAKING for path in EXPERIMENTS.glob(pattern)})
    return digest_of((str(path.relative_to(EXPERIMENTS)), path.read_text()) for path in files)


def digest_of(sources: Iterable[tuple[str, str]]) -> str:
    """SHA-256 of Python files, given by name and text; comments, docstrings and layout do not count."""
    parsed = [(name, ast.dump(_without_docstrings(ast.parse(text)))) for name, text in sources]
    return hashlib.sha256(repr(parsed).encode()).hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Remove docstrings, and the texts below attributes."""
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [statement for statement in body if not _is_text(statement)]
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def git_commit() -> str:
    """The commit of the running code; "unknown" in a copy without git."""
    command = ["git", "-C", str(EXPERIMENTS), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
