"""CSV as spreadsheets and programs write it: its encoding, its delimiter, and the columns of file and label."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from serving.core.errors import Refused, shortened
from serving.uploads.file_labels import class_in, label_in, number_in

BOMS = (  # of which the longer ones come before those that they begin with
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
DELIMITERS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", " ": "spaces"}
LONGEST_LINE = 100_000  # characters: 4,096 pixels with many decimals
PROBED = 20  # lines that the delimiter is told by
MAX_CELLS = 500_000  # of a table of labels
FILE_HEADINGS = {
    "file", "files", "filename", "filenames", "filepath", "image", "imagefile", "imageid", "imagename", "imagepath",
    "img", "id", "name", "path", "picture", "datei", "dateiname", "bild",
}  # fmt: skip
LABEL_HEADINGS = {
    "label", "labels", "labelid", "labelname", "class", "classes", "classid", "classindex", "classname", "category",
    "target", "digit", "number", "groundtruth", "y", "klasse", "ziffer", "zahl",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Rows of a CSV, of which the first is read already. `form`: in words, its encoding and delimiter."""

    form: str
    first: list[str]
    rest: Iterator[list[str]]


def read_table(content: bytes) -> Table:
    """Read a CSV, row by row: no more than a line is held. Raises Refused, also while the rows are read."""
    encoding = _encoding(content)
    lines = _lines(content, encoding)
    probed = list(islice(lines, PROBED))
    delimiter = _delimiter(probed)
    if probed and (told := re.fullmatch(r"sep=(.)\s*", probed[0])):  # Excel's own way of saying so
        delimiter = told[1]
        del probed[0]
    rows = (_split(line, delimiter) for part in (probed, lines) for line in part)
    form = f"{encoding.upper().removesuffix('-SIG')}, separated by {DELIMITERS.get(delimiter, delimiter)}"
    return Table(form, next(rows, []), rows)


@dataclass(frozen=True)
class LabelRows:
    """What a table of file names and labels says. `columns`: in words, where it says so."""

    rows: list[tuple[str, str]]  # file name and label, as they are written
    columns: str


def label_rows(
    table: Table, is_sent: Callable[[str], bool], class_names: Sequence[str], numbers: bool = False
) -> LabelRows:
    """Find the columns of file and label, by the headings and by what is in them.

    is_sent: whether the upload has a picture of this name. numbers: whether labels may be numbers of several digits.
    Raises Refused where there are none.
    """
    rows, cells = [table.first], 0
    for row in table.rest:
        rows.append(row)
        cells += len(row)
        if cells > MAX_CELLS:
            raise bad_table(
                f"The CSV of labels has more than {MAX_CELLS:,} cells.", "Send only the rows of these pictures."
            )
    width = Counter(map(len, rows)).most_common(1)[0][0]
    rows = [row for row in rows if len(row) >= min(width, 2)]
    if width < 2:
        raise bad_table("The CSV names none of the files: it has one column.", "Write file name and label in each row.")
    columns = list(zip(*(row[:width] + [""] * (width - len(row)) for row in rows), strict=True))
    headings = [plain_heading(cell) for cell in rows[0]]
    sent = [sum(map(is_sent, column)) for column in columns]
    file = max(range(width), key=lambda at: (sent[at], headings[at] in FILE_HEADINGS, -at))
    if not sent[file]:
        raise bad_table("The CSV names none of the files.", "Write a file name and its label in each row.")
    others = [at for at in range(width) if at != file]
    titled, share, is_no_index, label = _label_column(
        columns, others, headings, lambda cell: class_in(cell, class_names)
    )
    if numbers and not (share and (titled or is_no_index)):
        *_, label = _label_column(columns, others, headings, lambda cell: number_in(cell, class_names))
    has_heading = not is_sent(rows[0][file]) and not label_in(rows[0][label], class_names, numbers)
    titles = [f"“{shortened(cell, 40)}”" if has_heading and cell else f"{at + 1}" for at, cell in enumerate(rows[0])]
    pairs = list(zip(columns[file], columns[label], strict=True))[has_heading:]
    return LabelRows(pairs, f"files in column {titles[file]}, labels in column {titles[label]}")


def _label_column(
    columns: Sequence[Sequence[str]], others: Sequence[int], headings: Sequence[str], label_of: Callable[[str], str]
) -> tuple[bool, float, bool, int]:
    """The likeliest of the `others`: whether it is titled so, what share of it are labels, whether they are no index,
    and where it is. label_of: what a cell says, "" for nothing."""

    count = max(len(columns[0]) - 1, 1)  # of labels, without a heading
    indices = [list(filter(None, map(label_of, map(str, range(first, first + count))))) for first in (0, 1)]

    def likelihood(at: int) -> tuple[bool, float, bool, int]:
        labels = list(filter(None, map(label_of, columns[at][-count:])))
        return headings[at] in LABEL_HEADINGS, len(labels) / count, labels not in indices, at

    return max(map(likelihood, others))


def plain_heading(heading: str) -> str:
    """A heading without what differs from program to program."""
    return re.sub(r"[\W_]", "", heading).lower()


def _encoding(content: bytes) -> str:
    """By its byte order mark; else UTF-16 where every other byte is 0, UTF-8 where it can be, or Western Windows'."""
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return encoding
    beginning = content[:1000]
    for encoding, zeros in (("utf-16-le", beginning[1::2]), ("utf-16-be", beginning[::2])):
        if zeros and zeros.count(0) > len(zeros) // 2:
            return encoding
    try:
        content.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _lines(content: bytes, encoding: str) -> Iterator[str]:
    """The lines that are not empty. Raises Refused for one that no table has."""
    with io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace", newline="") as text:
        for line in takewhile(bool, iter(lambda: text.readline(LONGEST_LINE + 1), None)):
            if len(line) > LONGEST_LINE:
                raise bad_table(f"The CSV has a line of more than {LONGEST_LINE:,} characters.", "Is it a CSV?")
            if line.strip():
                yield line


def _split(line: str, delimiter: str) -> list[str]:
    """The cells of a line. Raises Refused."""
    try:
        (row,) = csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True)
    except (csv.Error, ValueError) as error:
        raise bad_table(f"The CSV can't be read ({error}).", "Save it again as CSV, each row in a line.") from None
    return [cell.strip(" \t\r\n'\N{NO-BREAK SPACE}") for cell in row]


def _delimiter(lines: Sequence[str]) -> str:
    """The one that gives most lines the same number of cells, which is more than one. The sniffer of the standard
    library takes quadratic time and errs."""

    def consistency(delimiter: str) -> tuple[int, int]:
        widths = Counter(line.count(delimiter) + 1 for line in lines)
        width, count = widths.most_common(1)[0]
        return (count, width) if width > 1 else (0, 0)

    if not lines:
        return ","
    best = max([delimiter for delimiter in DELIMITERS if delimiter != " "], key=consistency)
    return best if consistency(best)[0] else " "


def bad_table(message: str, hint: str) -> Refused:
    """A table that can't be used."""
    return Refused(422, "bad_upload", message, hint)
