"""The table of runs: three rows, one reason each, the last two of one builder."""

import dataclasses

import pytest

from experiments.datasets import SPECS
from experiments.runs import table


@pytest.mark.parametrize("dataset", SPECS)
def test_three_rows_with_their_reasons(dataset: str) -> None:
    rows = table(dataset)
    assert [row.name for row in rows] == ["baseline", "architecture", "hyperparameters"]
    assert len({row.reason for row in rows}) == 3
    assert rows[1].build is rows[2].build
    assert rows[0].build is not rows[1].build
    assert (rows[1].learning_rate, rows[1].batch_size) != (rows[2].learning_rate, rows[2].batch_size)


def test_a_row_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        table("mnist")[0].epochs = 9
