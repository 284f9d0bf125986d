"""HTML tables, and how times are written in them."""

import html
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime


class Html(str):
    """Text that is HTML already: a table shows it as it is and escapes any other."""

    __slots__ = ()


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], row_headers: bool = False, highlighted: Collection[int] = ()
) -> str:
    """HTML. headers: empty for a table without a header row; row_headers: whether each row's first cell is one;
    highlighted: positions of the rows to mark."""
    head = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in headers)
    body = "".join(
        f"<tr{_class(number in highlighted)}>{''.join(_cells(row, row_headers))}</tr>"
        for number, row in enumerate(rows)
    )
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if headers else ''}<tbody>{body}</tbody></table>"


def format_utc(seconds: float) -> str:
    """The time, given in seconds since 1970, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _cells(row: Sequence[str], row_header: bool) -> Iterator[str]:
    if row_header:
        yield f'<th scope="row">{_escaped(row[0])}</th>'
    yield from (f"<td>{_escaped(cell)}</td>" for cell in row[row_header:])


def _class(highlighted: bool) -> str:
    return ' class="highlighted"' if highlighted else ""


def _escaped(text: str) -> str:
    return text if isinstance(text, Html) else html.escape(text)
