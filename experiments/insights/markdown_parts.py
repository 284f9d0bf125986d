"""Parts of the report out of the project's own Markdown: docs/results.md, and what the benchmarks write."""

import re
from collections.abc import Iterator, Sequence

from experiments.insights.document import Bullets, Paragraph, Part, Table

MARKS = re.compile(r"\[([^\]]*)\]\([^)]*\)|\*\*?([^*]+)\*\*?|`([^`]*)`")


def section(text: str, heading: str) -> str:
    """The Markdown below a heading, up to the next; empty if there is none."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else ""


def parts(text: str, columns: Sequence[str] = ()) -> Iterator[Part]:
    """Paragraphs, lists and tables of Markdown. columns: the headings of those that are taken of a table; all if
    none is named."""
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        if lines and lines[0].startswith("|"):
            yield _table(lines, columns)
        elif lines and lines[0].startswith("- "):
            yield Bullets(
                tuple(plain(" ".join(item.split())) for item in re.split(r"^- ", block, flags=re.MULTILINE)[1:])
            )
        elif block:
            yield Paragraph(plain(" ".join(block.split())))


def plain(text: str) -> str:
    """Markdown's text without its marks."""
    return MARKS.sub(lambda mark: next(group for group in mark.groups() if group is not None), text)


def _table(lines: Sequence[str], columns: Sequence[str]) -> Table:
    rows = [tuple(plain(cell.strip()) for cell in line.strip().strip("|").split("|")) for line in lines]
    head, *body = [row for row in rows if not set("".join(row)) <= set("-: ")]
    taken = [place for place, name in enumerate(head) if name in columns] or list(range(len(head)))
    head, *body = [tuple(row[place] for place in taken) for row in (head, *body)]
    return Table(head, tuple(body))
