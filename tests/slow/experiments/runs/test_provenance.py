"""Fingerprints: what counts, what does not, and those recorded by earlier versions."""

import dataclasses

import numpy as np
import pytest

from experiments.data.datasets import Dataset
from experiments.data.specs import SPECS, Split
from experiments.runs import provenance
from experiments.runs.table import recipe, table

NONE = Split(np.empty(0), np.empty(0))
CODE = "class A:\n    x: int = 1\n\n    def f(self):\n        return self.x\n"
FIRST = {  # as the first layout gave them, of a data set with this digest
    ("mnist", "baseline"): "ddaedb8bc77b61c0",
    ("mnist", "architecture"): "2f228e8c606493a5",
    ("mnist", "hyperparameters"): "55d2927c7c934dd0",
    ("cifar10", "baseline"): "627ede8e64288454",
    ("cifar10", "architecture"): "f7e954388f1d6038",
    ("cifar10", "hyperparameters"): "9707aacfc3af0e80",
    ("mnist", "further"): "ab804eab7e42180d",
    ("cifar10", "best"): "ca1194d7a121bb72",
    ("mnist", "without-negatives"): "d137fc6a2a11bf43",
}
SECOND = {  # as the code after the move into folders gave them
    ("mnist", "further"): "c78c3bd502ce8b1d",
    ("cifar10", "best"): "755bacb2b3033987",
    ("mnist", "without-negatives"): "21f33ee19b6618c4",
}


@pytest.mark.parametrize(("run", "recorded"), [*FIRST.items(), *SECOND.items()])
def test_runs_of_earlier_versions_are_recognised(run, recorded):
    dataset, name = run
    rows = {config.name: config for config in table(dataset)}
    config = rows[name] if name in rows else recipe(dataset, name)
    data = Dataset(SPECS[dataset], NONE, NONE, NONE, digest="0" * 64)
    now, *earlier = provenance.fingerprints(config, data)
    assert recorded in earlier
    assert now not in earlier
    other = dataclasses.replace(config, seed=config.seed + 1)
    assert recorded not in provenance.fingerprints(other, data)


@pytest.mark.parametrize(
    "same",
    [
        CODE.replace("class A:", "# why\nclass A:"),
        CODE.replace("class A:\n", 'class A:\n    """What it is."""\n\n'),
        CODE.replace("x: int = 1\n", 'x: int = 1\n    """What it is."""\n'),
        '"""A module."""\n\n' + CODE.replace("    ", "\t"),
        CODE.replace("(self):\n        return self.x", '(self):\n        "Says x."\n        return (self . x)'),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(same):
    assert same != CODE
    assert provenance.digest_of([("a.py", same)]) == provenance.digest_of([("a.py", CODE)])


@pytest.mark.parametrize("other", [CODE.replace("= 1", "= 2"), CODE.replace("self.x", "+self.x"), CODE + "A()\n"])
def test_code_counts(other):
    assert provenance.digest_of([("a.py", other)]) != provenance.digest_of([("a.py", CODE)])


def test_all_that_makes_a_network_is_among_it():
    files = {str(path.relative_to(provenance.EXPERIMENTS)) for pattern in provenance.MAKING for path in
             provenance.EXPERIMENTS.glob(pattern)}  # fmt: skip
    assert {"data/datasets.py", "data/synthesis/generate.py", "training/train.py", "training/config.py",
            "preprocessing/drawings.py", "inference/tta.py", "evaluation/held_out.py"} <= files  # fmt: skip
    assert not any(name.startswith(("insights", "registry", "runs", "retraining")) for name in files)
