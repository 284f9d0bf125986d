"""CSV for spreadsheets, which would calculate a cell that begins like a formula."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TextIO

STARTS_FORMULA = re.compile(r'(^|[;|])([\s"]*[=+\-@\u2212])')
"""What begins a formula in a cell, or in the part of one that becomes a cell where another separator is usual."""
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of the characters that end a line or are not seen."""


def write_rows(file: TextIO, rows: Iterable[Sequence[str]]) -> None:
    """Write rows whose cells are text to a spreadsheet, whoever wrote them."""
    csv.writer(file).writerows(map(harmless, row) for row in rows)


def harmless(cell: str) -> str:
    """Return a cell in one line, with an apostrophe where a formula would begin."""
    line = "".join(" " if unicodedata.category(character) in UNSEEN else character for character in cell)
    plain = unicodedata.normalize("NFKC", line)  # spreadsheets read a full-width sign as the plain one
    return STARTS_FORMULA.sub(r"\1'\2", plain) if STARTS_FORMULA.search(plain) else line
