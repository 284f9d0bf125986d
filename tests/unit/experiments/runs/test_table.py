"""The table of runs: three rows, one reason each, the last two of one builder."""

import dataclasses

import pytest

from experiments.data.specs import SPECS
from experiments.runs.table import NAMES, recipe, table


@pytest.mark.parametrize("dataset", SPECS)
def test_three_rows_with_their_reasons(dataset: str) -> None:
    rows = table(dataset)
    assert tuple(row.name for row in rows) == NAMES == ("baseline", "architecture", "hyperparameters")
    assert len({row.reason for row in rows}) == 3
    assert rows[1].build is rows[2].build
    assert rows[0].build is not rows[1].build
    assert (rows[1].learning_rate, rows[1].batch_size) != (rows[2].learning_rate, rows[2].batch_size)


@pytest.mark.parametrize(
    ("name", "left_out"),
    [("warp", None), ("drawn", "drawn"), ("restyled", "restyled"), ("negatives", "non_digits")],
)
def test_an_ablation_is_the_second_row_less_one_thing(name: str, left_out: str | None) -> None:
    row, ablation = table("mnist")[1], recipe("mnist", f"without-{name}")
    changed = "extra" if left_out else "augment"
    same = {field.name for field in dataclasses.fields(row)} - {"name", "reason", changed}
    assert [field for field in same if getattr(row, field) != getattr(ablation, field)] == []
    assert ablation.extra == (dataclasses.replace(row.extra, **{left_out: 0}) if left_out else row.extra)


def test_a_row_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        table("mnist")[0].epochs = 9
