"""The table of runs: three rows, one reason each, the last two of one builder."""

import dataclasses

import pytest

from experiments.data.specs import SPECS
from experiments.runs.table import recipe, table


@pytest.mark.parametrize("dataset", SPECS)
def test_three_rows_with_their_reasons(dataset: str) -> None:
    rows = table(dataset)
    assert [row.name for row in rows] == ["baseline", "architecture", "hyperparameters"]
    assert len({row.reason for row in rows}) == 3
    assert rows[1].build is rows[2].build
    assert rows[0].build is not rows[1].build
    assert (rows[1].learning_rate, rows[1].batch_size) != (rows[2].learning_rate, rows[2].batch_size)


@pytest.mark.parametrize("part", ["warp", "drawn", "restyled", "negatives"])
def test_an_ablation_is_the_second_row_less_one_thing(part: str) -> None:
    row, ablation = table("mnist")[1], recipe("mnist", f"without-{part}")
    left_out = ("augment",) if part == "warp" else ("extra",)
    same = {field.name for field in dataclasses.fields(row)} - {"name", "reason", *left_out}
    assert [name for name in same if getattr(row, name) != getattr(ablation, name)] == []
    assert ablation.extra == (row.extra if part == "warp" else dataclasses.replace(row.extra, **{part: 0}))


def test_a_row_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        table("mnist")[0].epochs = 9
