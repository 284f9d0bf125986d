"""The conditions under which numbers are written: one row each."""

from dataclasses import dataclass

import numpy as np

from experiments.data.archive import DatasetError
from experiments.evaluation.drawings import Drawings
from experiments.evaluation.strings import other_ink
from experiments.evaluation.strings.compose import (
    BRUSHES,
    HEIGHTS,
    Layout,
    Spacing,
    WrittenString,
    of_one_writer,
    write_page,
    write_rows,
    write_string,
)
from experiments.evaluation.strings.other_ink import OtherInk

LENGTHS = (2, 3, 4, 6, 10)
SPACINGS: tuple[Spacing, ...] = ("spaced", "close", "touching")
PAGE = 5  # rows of a page, and digits of a row
WORD = (3, 7)  # letters
WITH_OTHER_INK = (2, 6)  # digits of a number with other ink in it, the last not


@dataclass(frozen=True)
class Condition:
    """How a sheet is written: a number, unless it says otherwise."""

    name: str
    length: int = 0  # digits; 0: as many as WITH_OTHER_INK says
    spacing: Spacing = "spaced"
    is_page: bool = False  # of PAGE rows
    slant: float = 0.0  # degrees of a page's rows to either side, at most
    ruled: bool = False  # lines under a page's rows
    other: OtherInk | None = None  # between two digits
    is_word: bool = False  # letters only
    fewer: int = 1  # times fewer sheets than of other conditions

    @property
    def has_other_ink(self) -> bool:
        """Whether there is anything but digits, so that nothing may be sure."""
        return self.is_word or self.other is not None

    def write(self, digits: Drawings, letters: Drawings, rng: np.random.Generator) -> WrittenString:
        """Write one sheet with digits of one writer."""
        if self.is_word:
            word = [other_ink.letter(letters, rng) for _ in range(rng.integers(*WORD))]
            height = rng.uniform(*HEIGHTS)
            return write_rows([word], Layout(self.spacing, height, height * rng.uniform(*BRUSHES)), rng)
        length = self.length or int(rng.integers(*WITH_OTHER_INK))
        chosen = of_one_writer(digits, length, rng)
        if self.is_page:
            rows = [chosen[start : start + PAGE] for start in range(0, length, PAGE)]
            return write_page(digits, rows, rng, self.slant, self.ruled)
        other = self.other(letters, rng) if self.other else None
        return write_string(digits, chosen, self.spacing, rng, other)


_ROWS = (
    Condition("1 digit", 1),
    *(Condition(f"{length} digits, {spacing}", length, spacing) for spacing in SPACINGS for length in LENGTHS),
    Condition("page of 25 digits", PAGE**2, is_page=True, fewer=5),
    Condition("page, slanted by up to 6°", PAGE**2, is_page=True, slant=6, fewer=5),
    Condition("page, ruled", PAGE**2, is_page=True, ruled=True, fewer=5),
    Condition("decimal point between digits", spacing="close", other=other_ink.point),
    Condition("decimal comma between digits", spacing="close", other=other_ink.comma),
    Condition("minus between digits", other=other_ink.minus),
    Condition("letter between digits", other=other_ink.letter),
    Condition("word of letters", is_word=True),
)
CONDITIONS = {condition.name: condition for condition in _ROWS}
"""By name."""


def choose(part: str) -> list[str]:
    """The names that contain this; all for an empty one. Raises DatasetError if there are none."""
    if names := [name for name in CONDITIONS if part in name]:
        return names
    raise DatasetError(f"No condition's name contains {part!r}. The table has: {'; '.join(CONDITIONS)}.")
