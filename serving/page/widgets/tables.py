"""Tables as part of a page, and times as they stand in them."""

import html
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], named_rows: bool = False, chosen: Collection[int] = ()
) -> str:
    """HTML. heads: text, none for a table without; rows: cells as HTML, the first of each its name with `named_rows`;
    chosen: positions of the rows to mark."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in heads)
    marks = {True: ' class="chosen"', False: ""}
    body = "".join(
        f"<tr{marks[number in chosen]}>{''.join(_cells(row, named_rows))}</tr>" for number, row in enumerate(rows)
    )
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if heads else ''}<tbody>{body}</tbody></table>"


def utc(seconds: float) -> str:
    """seconds since 1970, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _cells(row: Sequence[str], named: bool) -> Iterable[str]:
    if named:
        yield f'<th scope="row">{row[0]}</th>'
    yield from (f"<td>{cell}</td>" for cell in row[named:])
