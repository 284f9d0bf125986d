from hypothesis import given
from hypothesis import strategies as st

from experiments.insights.document import Bullets, Paragraph, Table
from experiments.insights.markdown_parts import parts, plain, section

TEXT = """# Results

## Speed

One `figure`
of [many](x.md).

| what | measured | command |
| --- | ---: | --- |
| **one** | 2 ms | `make` |

### A part

More.

## Limits

- O is
  0.
- *I* is 1.
"""


def test_a_section_ends_at_the_next_heading():
    assert section(TEXT, "A part") == "More."
    assert section(TEXT, "Nothing") == ""


def test_paragraphs_tables_and_lists_lose_their_marks():
    paragraph, table = parts(section(TEXT, "Speed"), ("what", "measured"))
    assert paragraph == Paragraph("One figure of many.")
    assert table == Table(("what", "measured"), (("one", "2 ms"),))
    assert list(parts(section(TEXT, "Limits"))) == [Bullets(("O is 0.", "I is 1."))]


def test_all_columns_are_taken_where_none_is_named():
    (_, table) = parts(section(TEXT, "Speed"), ("others",))
    assert table.head == ("what", "measured", "command")


@given(st.text())
def test_any_text_has_parts(text):
    assert all(parts(text))
    assert len(plain(text)) <= len(text)
