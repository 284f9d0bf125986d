"""HTML tables, for the page and the report."""

import html
from collections.abc import Collection, Iterable, Sequence


class Html(str):
    """Text that is HTML already: a table shows it as it is and escapes any other."""

    __slots__ = ()


def html_table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], row_headers: bool = False, highlighted: Collection[int] = ()
) -> str:
    """headers: empty for a table without a header row; row_headers: whether each row's first cell is one; highlighted:
    positions of the rows to mark."""
    body = []
    for number, row in enumerate(rows):
        cells = [f"<td>{_escape(cell)}</td>" for cell in row]
        if row_headers:
            cells[0] = f'<th scope="row">{_escape(row[0])}</th>'
        mark = ' class="highlighted"' if number in highlighted else ""
        body.append(f"<tr{mark}>{''.join(cells)}</tr>")
    head = "".join(f'<th scope="col">{_escape(name)}</th>' for name in headers)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{''.join(body)}</tbody></table>"


def wide(table: str, label: str) -> str:
    """A table that scrolls in itself, by keys too, where it is wider than its place. label: what a screen reader calls
    it."""
    return f'<div class="wide" tabindex="0" role="region" aria-label="{html.escape(label)}">{table}</div>'


def _escape(text: str) -> str:
    return text if isinstance(text, Html) else html.escape(text)
