"""What an upload holds: pictures, also out of tables and arrays, and what labels them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from serving.core.errors import Refused
from serving.core.images import encode_png
from serving.core.limits import MIB
from serving.uploads.arrays import (
    GZIP,
    IDX,
    NPY,
    as_bytes,
    gunzipped,
    is_of_labels,
    is_of_pixels,
    labels_in_array,
    pictures_in_array,
    read_array,
    read_pixels,
)
from serving.uploads.file_labels import class_in, labels_in, labels_in_cells, seem_wrong
from serving.uploads.named_files import NamedFiles
from serving.uploads.names import is_added_by_system
from serving.uploads.tables import Table, label_rows, read_table
from serving.uploads.zips import Limits, UploadedFile

TABLES = (".csv", ".tsv", ".txt")
OTHER_KINDS = (  # beginnings of files, and what they are
    (b"PAR1", "Parquet"), (b"\x89HDF", "HDF5"), (b"MATLAB", "MATLAB"), (b"Rar!", "RAR"), (b"7z\xbc\xaf", "7z"),
    (b"%PDF", "PDF"), (b"\xd0\xcf\x11\xe0", "Excel"),
)  # fmt: skip
TEXTS = 5  # that are tried as tables
PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib")
PICKLE = re.compile(rb"\x80[\x02-\x05]")
ROLES = re.compile(r"images?|labels?|x|y|data|targets?|idx\d|arr|[01]|ubyte|npy|gz")
"""Words in the names of arrays that pictures and labels do not share."""

TableLabels = tuple[list[str], dict[str, str], str]
"""The label of each name, the faults, and how the table was understood."""


@dataclass(frozen=True)
class Labels:
    """A label for each picture, "" where there is none; what is wrong, by name; how they were found, in sentences.
    doubted: whether nearly all that names say is other than the sure answers."""

    labels: list[str]
    faults: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubted: bool = False


class Contents:
    """Iterates over the pictures of an upload; what can't be used carries its error. `labels` tells their labels."""

    def __init__(self, files: Iterable[UploadedFile], limits: Limits) -> None:
        self._files, self._limits = files, limits
        self._left, self._bytes_left = limits.files, limits.total_mb * MIB
        self._tables: list[UploadedFile] = []
        self._unpacked: dict[str, str] = {}  # pictures of tables and arrays, and their labels
        self._pictures: dict[str, list[str]] = {}  # name of an array -> names of its pictures
        self._labels: dict[str, np.ndarray] = {}  # name of an array -> labels
        self.notes: list[str] = []

    def __iter__(self) -> Iterator[UploadedFile]:
        for file in self._files:
            if file.name.lower().endswith(TABLES) and file.error:
                self._tables.append(file)
            elif file.error:
                yield file
            elif not is_added_by_system(file.name):
                try:
                    yield from self._open(file)
                except Refused as error:
                    yield UploadedFile(file.name, error=error.with_traceback(None))

    def labels(
        self,
        names: Sequence[str],
        class_names: Sequence[str],
        answers: Sequence[str],
        read: Sequence[str] | None = None,
    ) -> Labels:
        """Decide the labels of all pictures, once they have been read, by the arrays and tables that hold them, else by
        a table of file names, else by names. answers: what the model is sure of. read: all that it answered, where
        labels may be numbers. Raises Refused for several tables, or one that is none."""
        self._pair()
        labels = [_class_of(self._unpacked.get(name, ""), class_names) for name in names]
        others = [position for position, name in enumerate(names) if name not in self._unpacked]
        named = [names[position] for position in others]
        notes, faults, doubted = list(self.notes), dict[str, str](), False
        if named and self._tables and (told := self._by_table(named, class_names, read is not None)):
            found, faults, note = told
            notes.append(note)
        else:
            sure = [answers[position] for position in others]
            found = labels_in(named, class_names, sure, read and [read[position] for position in others])
            doubted = seem_wrong(found, sure)
            if doubted:
                notes.append("**The names seem to carry no labels:** nearly all sure answers differ from them.")
            elif any(found):
                notes.append(f"Labels from the names of folders or files: {sum(map(bool, found)):,} of {len(found):,}.")
        for position, label in zip(others, found, strict=True):
            labels[position] = label
        return Labels(labels, faults, notes, doubted)

    def _open(self, file: UploadedFile) -> Iterator[UploadedFile]:
        name, content = file.name, file.content
        if content.startswith(GZIP):
            most, self._bytes_left = self._bytes_left, 0  # for good if it has more
            content = gunzipped(content, most)
            self._bytes_left = most - len(content)
            name = name.removesuffix(".gz")
        _check_kind(name, content)
        if content.startswith(NPY) or IDX.match(content):
            yield from self._array(file.name, read_array(content))
        elif not name.lower().endswith(TABLES):
            yield UploadedFile(file.name, content)
        elif (table := _opened(content)) and is_of_pixels(table):
            yield from self._table_of_pixels(file.name, table)
        else:
            self._tables.append(UploadedFile(file.name, content))

    def _array(self, name: str, array: np.ndarray) -> Iterator[UploadedFile]:
        if is_of_labels(array):
            self._labels[name] = array
            return
        pictures = pictures_in_array(array)
        count = min(len(pictures), self._left)
        self._left -= count
        self._say_read(name, count, f"of {len(pictures):,}", count == len(pictures))
        self._pictures[name] = [f"{name} #{number}" for number in range(1, count + 1)]
        if count:
            yield from map(self._picture, self._pictures[name], as_bytes(_upright(name, pictures[:count])))

    def _table_of_pixels(self, name: str, table: Table) -> Iterator[UploadedFile]:
        pixels = read_pixels(table, self._left)
        self._left -= len(pixels.numbers) + len(pixels.bad_rows)
        self._say_read(name, len(pixels.numbers), f"({table.form}), one a row", pixels.are_all)
        names = [f"{name} #{number}" for number in pixels.numbers]
        self._unpacked |= dict(zip(names, pixels.labels, strict=False))
        if names:
            yield from map(self._picture, names, as_bytes(_upright(name, pixels.pictures)))
        error = Refused(422, "bad_file", "This row holds something else than pixels.", "Correct or remove it.")
        yield from (UploadedFile(f"{name} #{number}", error=error) for number in pixels.bad_rows)

    def _picture(self, name: str, pixels: np.ndarray) -> UploadedFile:
        self._unpacked.setdefault(name, "")
        return UploadedFile(name, encode_png(Image.fromarray(pixels)))

    def _say_read(self, name: str, count: int, of: str, are_all: bool) -> None:
        only = "" if are_all else f" Only the first were read: up to {self._limits.files:,} are accepted at a time."
        self.notes.append(f"{name}: {count:,} pictures {of}.{only}")

    def _pair(self) -> None:
        """Give the pictures of each array the labels of that whose name differs least, as x_train and y_train."""
        keys = {name: _key(name) for name in (*self._pictures, *self._labels)}
        for name, pictures in self._pictures.items():
            same = [other for other in self._labels if keys[other] == keys[name]] or list(self._labels)
            if len(same) != 1 or len(self._labels[same[0]]) < len(pictures):
                self.notes.append(f"{name}: no array was sent with its labels.")
                continue
            labels = labels_in_array(self._labels[same[0]][: len(pictures)])
            self._unpacked |= dict(zip(pictures, labels, strict=True))
            self.notes.append(f"{name}: labels from {same[0]}.")

    def _by_table(self, names: Sequence[str], class_names: Sequence[str], numbers: bool) -> TableLabels | None:
        """What the CSV says; without one, a text that is one in fact. Raises Refused."""
        files, is_text = NamedFiles(names), [table.name.lower().endswith(".txt") for table in self._tables]
        tables = [table for table, is_one in zip(self._tables, is_text, strict=True) if not is_one]
        if len(tables) > 1:
            message = f"There are several CSV files: {', '.join(table.name for table in tables)}."
            raise Refused(422, "bad_upload", message, "Send one, with a file name and a label in each row.")
        if tables:
            return _read_labels(tables[0], names, files, class_names, numbers)
        for table in self._tables[:TEXTS]:
            with suppress(Refused):  # it is another text
                told = _read_labels(table, names, files, class_names, numbers)
                if any(told[0]):
                    return told
        return None


def _read_labels(
    table: UploadedFile, names: Sequence[str], files: NamedFiles, class_names: Sequence[str], numbers: bool
) -> TableLabels:
    """Raises Refused."""
    if table.error:
        raise Refused(422, "bad_upload", f"{table.name}: {table.error.message}", table.error.hint)
    opened = read_table(table.content)
    understood = label_rows(opened, files.has, class_names, numbers)
    known = labels_in_cells({label for _, label in understood.rows}, class_names, numbers)
    found, faults = files.labelled([(name, known[label] or label) for name, label in understood.rows])
    labelled = {label for label in known.values() if label}
    for position, label in found.items():
        if label not in labelled:
            problem = f"{label[:40]!r} is no label" if label else "It has no label"
            faults[names[position]] = f"{problem}. Labels: {', '.join(class_names)}."
    labels = [label if (label := found.get(position, "")) in labelled else "" for position in range(len(names))]
    return labels, faults, f"Labels from {table.name} ({opened.form}): {understood.columns}."


def _opened(content: bytes) -> Table | None:
    """The table, if it can be read so far."""
    try:
        return read_table(content)
    except Refused:  # is told where its labels are asked for
        return None


def _check_kind(name: str, content: bytes) -> None:
    """Raises Refused for files of other kinds in which MNIST is published."""
    ending = PurePosixPath(name.lower()).suffix
    if ending in PICKLES or PICKLE.match(content):
        message = "This is a pickle, which can run programs when it is opened, so it is not."
        raise Refused(422, "bad_file", message, "Send its arrays as .npz, or pictures.")
    kind = next((kind for beginning, kind in OTHER_KINDS if content.startswith(beginning)), "")
    kind = "tar" if content[257:262] == b"ustar" else kind
    if kind:
        message = f"Files of the format {kind} are not read."
        raise Refused(422, "bad_file", message, "Send pictures, a zip of them, .npz, idx or CSV.")


def _upright(name: str, pictures: np.ndarray) -> np.ndarray:
    """EMNIST is published with rows and columns exchanged."""
    return pictures.swapaxes(1, 2) if "emnist" in name.lower() else pictures


def _key(name: str) -> tuple[str, ...]:
    """What the names of an array of pictures and of that of their labels have in common."""
    words = re.findall(r"[a-z]+\d*|\d+", PurePosixPath(name).name.lower())
    return tuple(word for word in words if not ROLES.fullmatch(word))


def _class_of(value: str, class_names: Sequence[str]) -> str:
    """The class of a label out of an array, which may be its number."""
    number = int(value) if value.isascii() and value.isdigit() and len(value) < 3 else len(class_names)
    return class_in(value, class_names) or (class_names[number] if number < len(class_names) else "")
