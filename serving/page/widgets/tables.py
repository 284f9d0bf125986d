"""Tables as part of a page, and times as they stand in them."""

import html
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], row_headers: bool = False, highlighted: Collection[int] = ()
) -> str:
    """HTML. headers: text, empty for a table without a header row; rows: cells as HTML, the first of each a row header
    with `row_headers`; highlighted: positions of the rows to mark."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in headers)
    marks = {True: ' class="highlighted"', False: ""}
    body = "".join(
        f"<tr{marks[number in highlighted]}>{''.join(_cells(row, row_headers))}</tr>" for number, row in enumerate(rows)
    )
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if headers else ''}<tbody>{body}</tbody></table>"


def format_utc(seconds: float) -> str:
    """seconds since 1970, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _cells(row: Sequence[str], named: bool) -> Iterable[str]:
    if named:
        yield f'<th scope="row">{row[0]}</th>'
    yield from (f"<td>{cell}</td>" for cell in row[named:])
