"""MNIST in the forms in which it is published: arrays of NumPy, idx files, and tables of pixels; read within bounds."""

import io
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from serving.core.errors import Refused
from serving.uploads.tables import LABEL_HEADINGS, Table, bad_table, plain_heading

NPY = b"\x93NUMPY"
GZIP = b"\x1f\x8b"
IDX = re.compile(rb"\x00\x00\x08[\x01-\x04]")  # of unsigned bytes, with one dimension or more
SIDES = range(8, 65)  # px of the pictures in a table: 8 as scikit-learn has them, 28 as MNIST
LARGEST = 4096  # px of a picture in an array
LARGEST_VALUE = 65535.0
INDEX_HEADINGS = {"", "id", "imageid", "index", "unnamed0"}
PIXEL_HEADING = re.compile(r"(pixel|px)[-_ ]?\d+|\d+x\d+", re.IGNORECASE)


def gunzipped(content: bytes, most: int) -> bytes:
    """Unpack a gzip of up to so many bytes. Raises Refused."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, most + 1)
    except zlib.error:
        raise _damaged("gzip") from None
    if len(unpacked) > most:
        raise Refused(413, "too_large", "The packed files are too large together.", "Send less at a time.")
    if not unpacker.eof:
        raise _damaged("gzip")
    return unpacked


def read_array(content: bytes) -> np.ndarray:
    """Read an .npy or idx file without copying it. Raises Refused for anything but numbers or texts."""
    return _read_npy(content) if content.startswith(NPY) else _read_idx(content)


def _read_idx(content: bytes) -> np.ndarray:
    start = 4 + 4 * content[3]  # its number of dimensions, and the size of each
    shape = tuple(np.frombuffer(content[4:start].ljust(start - 4, b"\0"), ">u4").tolist())
    if math.prod(shape) != len(content) - start:
        raise _damaged("idx file")
    return np.frombuffer(content, np.uint8, offset=min(start, len(content))).reshape(shape)


def _read_npy(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    try:
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, is_fortran, dtype = read_header[np.lib.format.read_magic(file)](file)
    except Exception:  # NumPy parses the header as Python, and raises whatever that does
        raise _damaged(".npy file") from None
    if dtype.kind not in "buifU":
        message = f"It holds values of the type {dtype.kind!r}, which are pickled or no numbers."
        raise Refused(422, "bad_file", message, "Save it as an array of numbers.")
    if (
        min(shape, default=0) < 0
        or len(content) - file.tell() != math.prod(shape) * dtype.itemsize
        or not dtype.itemsize
    ):
        raise _damaged(".npy file")
    values = np.frombuffer(content, dtype, offset=file.tell())
    return values.reshape(shape, order="F" if is_fortran else "C")


def is_of_labels(array: np.ndarray) -> bool:
    """Whether an array holds a label, or the ten of a one-hot row, for each picture."""
    return array.ndim == 1 or (array.ndim == 2 and array.shape[1] in (1, 10))


def labels_in_array(array: np.ndarray) -> list[str]:
    """Labels of such an array as texts."""
    if array.ndim == 2:
        array = array.argmax(axis=1) if array.shape[1] == 10 and array.dtype.kind != "U" else array[:, 0]
    return [f"{value:g}" if isinstance(value, float) else str(value) for value in array.tolist()]


def pictures_in_array(array: np.ndarray) -> np.ndarray:
    """Pictures [N, h, w] or [N, h, w, 3 or 4] of an array, which may have them flat, or only one. Raises Refused."""
    if array.ndim == 2 and array.shape[0] != array.shape[1] and (side := _side(array.shape[1])):
        array = array.reshape(-1, side, side)
    elif array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4)):
        array = array[None]
    are_pictures = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3, 4))
    if not are_pictures or array.dtype.kind == "U" or not array.size or max(array.shape[1:3]) > LARGEST:
        message = f"It holds an array of the shape {array.shape}, not pictures or labels."
        raise Refused(422, "bad_file", message, "Pictures have the shape [number, height, width].")
    return array[..., 0] if array.ndim == 4 and array.shape[3] == 1 else array


def as_bytes(pictures: np.ndarray) -> Iterator[np.ndarray]:
    """Scale values of whatever range, as -1 to 1, 0 to 1, 0 to 16 or 0 to 65,535, to uint8 0 to 255; give one picture
    after another. Raises Refused."""
    low, high = float(pictures.min()), float(pictures.max())
    if not math.isfinite(high - low):
        raise Refused(422, "bad_file", "It holds values that are not finite.", "Save it again.")
    base = low if low < 0 else 0.0
    full = next((full for full in (1.0, 16.0, 255.0, 65535.0) if high <= full), high)
    for picture in pictures:
        scaled = (picture.astype(np.float64) - base) / (full - base) * 255
        yield scaled.round().astype(np.uint8)


@dataclass(frozen=True)
class Pixels:
    """The pictures of a table of pixels."""

    pictures: np.ndarray  # float32 [N, side, side]
    numbers: list[int]  # of their rows, counted from 1 without a heading
    labels: list[str]  # one for each, or none at all
    bad_rows: list[int]
    are_all: bool  # whether the table holds no more


def is_of_pixels(table: Table) -> bool:
    """Whether a table holds pictures, a pixel in each cell, rather than names of files."""
    return len(table.first) >= SIDES[0] ** 2 or any(map(PIXEL_HEADING.fullmatch, table.first))


def read_pixels(table: Table, most: int) -> Pixels:
    """Read as many pictures of a table of pixels, as Kaggle and others publish MNIST. Raises Refused."""
    headings = [] if _numbers(table.first, len(table.first)) is not None else list(map(plain_heading, table.first))
    labelled = [at for at, heading in enumerate(headings) if heading in LABEL_HEADINGS]
    pixels = [at for at, heading in enumerate(headings) if heading not in LABEL_HEADINGS | INDEX_HEADINGS]
    pixels = pixels or list(range(len(table.first)))
    side = math.isqrt(len(pixels))
    rest = len(pixels) - side**2
    if side not in SIDES or rest > (0 if headings else 2):
        message = f"The CSV has {len(pixels)} pixels in each row; a picture of 28×28 has 784."
        raise bad_table(message, "Send it as it was published.")
    rows, numbers, bad, number = list[np.ndarray](), list[int](), list[int](), 0
    for number, row in enumerate(table.rest if headings else chain([table.first], table.rest), 1):
        if len(rows) + len(bad) == most:
            break
        values = _numbers(row, len(table.first))
        if values is None:
            bad.append(number)
        else:
            rows.append(values)
            numbers.append(number)
    values = np.array(rows, np.float32).reshape(len(rows), len(table.first))
    if rest:
        labelled = [_label_column(values, rest)]
        pixels = list(range(rest - 1, len(pixels))) if labelled == [len(pixels) - 1] else list(range(rest, len(pixels)))
        pixels = pixels[: side**2]
    labels = [f"{value:g}" for value in values[:, labelled[0]].tolist()] if labelled else []
    return Pixels(values[:, pixels].reshape(-1, side, side), numbers, labels, bad, len(rows) + len(bad) >= number)


def _label_column(values: np.ndarray, rest: int) -> int:
    """The first column after an index; the last one where that alone can hold labels."""
    first, last = values[:, rest - 1], values[:, -1]
    can_be = [bool(np.isin(column, range(10)).all()) for column in (first, last)]
    varies = [len(np.unique(column)) > 1 for column in (first, last)]
    return values.shape[1] - 1 if rest == 1 and can_be[1] and (not can_be[0] or varies == [False, True]) else rest - 1


def _numbers(row: list[str], width: int) -> np.ndarray | None:
    """A row of the table as float64 [width]; None if it holds something else."""
    try:
        values = np.array(list(map(float, row if len(row) == width else [""])))
    except ValueError:
        return None
    return values if np.abs(values).max(initial=0) <= LARGEST_VALUE else None


def _side(pixels: int) -> int:
    """Of a square of so many pixels; 0 if there is none."""
    side = math.isqrt(pixels)
    return side if side in SIDES and side * side == pixels else 0


def _damaged(kind: str) -> Refused:
    return Refused(422, "bad_file", f"The {kind} is damaged or incomplete.", "Save it again and resend it.")
