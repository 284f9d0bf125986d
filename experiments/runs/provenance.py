"""What made a run what it is: parameters, fingerprint, commit."""

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
"""The code that makes a network what it is."""
EARLIER_CODE = ("6544859738bc832b6c3a0078e0d5b736ff088334bf5c2dd3517f31ad02be4e85",)
"""Digests of that code as it was in earlier versions that make the same networks: add the last one when you only
rename or simplify, and clear both when a run comes out otherwise."""
EARLIER_RECIPE = Path(__file__).with_name("earlier_recipe.json.xz")
"""The files whose text, comments and all, the first fingerprints were made of."""
RECORDED_NAMES = {
    "non_digits": "negatives",
    "outlier_photos": "strangers",
    "parent_weight": "kept",
    "unchanged": "leave",
}
"""Names of settings and functions as fingerprints and MLflow's parameters have them, where the code's name is newer."""


def parameters(config: RunConfig, dataset: Dataset) -> dict[str, object]:
    """Everything that made the run what it is."""
    shown = _settings(config)
    shown |= {"architecture": shown["build"], "augmentation": shown["augment"]}
    shown |= {f"extra_{_recorded(kind)}": count for kind, count in asdict(config.extra).items()}
    shown = {k: v for k, v in shown.items() if k not in ("name", "reason", "build", "augment", "extra")}
    shown |= {"precision": training_precision()}
    shown |= {"dataset": dataset.spec.name, "dataset_digest": dataset.digest}
    return shown | {f"version_{package}": version(package) for package in PACKAGES}


def fingerprints(config: RunConfig, dataset: Dataset) -> tuple[str, ...]:
    """The same settings, data and code have the same fingerprint, so that finished work is known again: the run's,
    then those that earlier versions of the project gave the same one."""
    settings = sorted(_settings(config).items())
    recipe = json.loads(lzma.decompress(EARLIER_RECIPE.read_bytes()))
    makings = (code_digest(), *EARLIER_CODE, recipe)
    return tuple(_short(repr((settings, dataset.digest, making))) for making in makings)


def _settings(config: RunConfig) -> dict[str, object]:
    """The settings of a run under their recorded names, functions by name."""
    functions = {name: _recorded(getattr(config, name).__name__) for name in ("build", "augment")}
    extra = {_recorded(kind): count for kind, count in asdict(config.extra).items()}
    return {_recorded(name): value for name, value in (asdict(config) | functions | {"extra": extra}).items()}


def _recorded(name: str) -> str:
    return RECORDED_NAMES.get(name, name)


@functools.cache
def code_digest() -> str:
    """SHA-256, in hexadecimal, of the code that makes a network."""
    files = sorted({path for pattern in MAKING for path in EXPERIMENTS.glob(pattern)})
    return digest_of((str(path.relative_to(EXPERIMENTS)), path.read_text()) for path in files)


def digest_of(sources: Iterable[tuple[str, str]]) -> str:
    """sources: names of Python files and their text, of which comments, docstrings and layout do not count."""
    parsed = [(name, ast.dump(_without_docstrings(ast.parse(text)))) for name, text in sources]
    return hashlib.sha256(repr(parsed).encode()).hexdigest()


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [each for each in body if not _is_text(each)]
    return tree


def _is_text(node: ast.stmt) -> bool:
    """A docstring, or the text below an attribute: what stands alone and does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def git_commit() -> str:
    """Of the code that runs; "unknown" in a copy without git."""
    command = ["git", "-C", str(EXPERIMENTS), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
