import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.spreadsheets import harmless, write_rows

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\u207a\u2212"  # full-width, small and raised ones too
BEFORE = "\n\r\t\v\f \xa0\u3000\u2028\u2029\u200b\ufeff\xad\x00"


def written(*rows):
    """The text of the rows as CSV."""
    file = io.StringIO()
    write_rows(file, rows)
    return file.getvalue()


def begins_formula(cell):
    seen = "".join(sign for sign in cell if unicodedata.category(sign)[0] not in "CZ" and sign != '"')
    return unicodedata.normalize("NFKC", seen).startswith(("=", "+", "-", "@", "\u2212"))


@pytest.mark.parametrize("cell", ["", "7/a.png", "a=b.png", "0.9000", "1 or 7", "\u0667.png", "\U0001f600", "e-mail@x"])
def test_other_cells_are_left_alone(cell):
    assert harmless(cell) == cell


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", *BEFORE, "\r\n", " \t\n", '"', "x;", "x; ", 'x;"', "x|"])
def test_a_formula_becomes_text_whatever_stands_before_it(before, sign):
    assert "'" in harmless(f"{before}{sign}1+1.png").partition("1")[0]


@given(st.lists(st.lists(st.text() | st.text(f'{SIGNS}{BEFORE};|",a1'), min_size=1), min_size=1))
def test_no_cell_is_a_formula_by_whichever_separator_it_is_read(rows):
    text = written(*rows)
    text.encode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert [len(row) for row in read] == [len(row) for row in rows]
    assert len(text.splitlines()) == len(rows), "a row is one line, also for a reader that knows no quotes"
    for delimiter in ",;|\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            assert not any(map(begins_formula, row))
