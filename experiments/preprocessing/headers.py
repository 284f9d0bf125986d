"""What an encoded picture says of its size, read in microseconds and without a decoder."""

import re
import struct
from collections.abc import Callable, Iterable

from experiments.preprocessing.formats import format_of

SCAN = b"\xff\xda"  # start of a JPEG's scan; no such bytes occur within its data
MAX_SEGMENTS = 200  # of a JPEG before its first scan: profile and metadata take up to 64 kB each
NO_SIZE = {0xC4, 0xC8, 0xCC}  # markers among those of frames that begin something else
STANDALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
MAX_TAGS = 500  # of a TIFF's page
WIDTH, HEIGHT = 256, 257  # tags of a TIFF
NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q"}  # types of a TIFF's whole numbers
BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""A value of each of a TIFF's types."""
MAX_BOXES = 100  # of an AVIF or HEIC, at its top
IMAGE_SIZE = re.compile(rb"ispe\0\0\0\0(.{8})", re.DOTALL)  # of one of its images, a tile or the whole
CODESTREAM = re.compile(rb"\xff\x4f\xff\x51....(.{16})", re.DOTALL)  # of a JPEG 2000: its size and offset
HEADER_BOX = re.compile(rb"ihdr(.{8})", re.DOTALL)
SPACE = rb"(?:\s|#[^\r\n]*[\r\n])+"  # of a PNM, comments included
PNM = re.compile(rb"P[1-6]" + SPACE + rb"(\d{1,10})" + SPACE + rb"(\d{1,10})")
PNM_HEADER = 4096  # bytes


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a picture in any of FORMATS, the largest where it names several; None where they
    can't be told."""
    known = format_of(data)
    try:
        return READERS[known.name](data) if known else None
    except (struct.error, IndexError, ValueError, OverflowError):  # it ends too soon, or names no size or place
        return None


def _pair(layout: str, data: bytes, position: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, data, position)
    return first, second


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """The largest of its frames, since a decoder may take any."""
    position, sizes = 2, [(0, 0)]
    for _ in range(MAX_SEGMENTS):
        if data[position : position + 2] == b"\xff\xff":  # padding, which counts as a segment
            position += 1
            continue
        if data[position] != 0xFF:
            return None
        marker = data[position + 1]
        if marker in (0xDA, 0xD9):  # scan, end
            return _largest(sizes)
        if 0xC0 <= marker <= 0xCF and marker not in NO_SIZE:
            height, width = _pair(">HH", data, position + 5)
            sizes.append((width, height))
        position += 2 if marker in STANDALONE else 2 + struct.unpack_from(">H", data, position + 2)[0]
    return None


def _largest(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    return max(sizes, key=lambda size: size[0] * size[1])


def _png(data: bytes) -> tuple[int, int] | None:
    return _pair(">II", data, 16) if data[12:16] == b"IHDR" else None


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = _pair("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _gif(data: bytes) -> tuple[int, int]:
    return _pair("<HH", data, 6)


def _bmp(data: bytes) -> tuple[int, int]:
    width, height = _pair("<HH", data, 18) if data[14] == 12 else _pair("<ii", data, 18)
    return abs(width), abs(height)


def _tiff(data: bytes) -> tuple[int, int] | None:
    """That of the first page; None where it claims more values than there are bytes, all of which would be read."""
    order, big = "<" if data.startswith(b"I") else ">", 43 in data[2:4]
    (start,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
    (tags,) = struct.unpack_from(order + ("Q" if big else "H"), data, start)
    layout = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
    size, claimed = {}, 0
    for number in range(min(tags, MAX_TAGS + 1)):
        tag, kind, count, value = layout.unpack_from(data, start + (8 if big else 2) + number * layout.size)
        claimed += count * BYTES.get(kind, 0)
        if tag in (WIDTH, HEIGHT) and kind in NUMBERS:
            (size[tag],) = struct.unpack_from(order + NUMBERS[kind], value)
    if tags > MAX_TAGS or claimed > len(data) or len(size) < 2:
        return None
    return size[WIDTH], size[HEIGHT]


def _isobmff(data: bytes) -> tuple[int, int]:
    """The largest of an AVIF's or HEIC's images: a grid names its tiles and the whole."""
    position = 0
    for _ in range(MAX_BOXES):
        length, kind = struct.unpack_from(">I4s", data, position)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, position + 8)
        end = position + length if length else len(data)
        if kind == b"meta":
            return _largest(_pair(">II", found[1], 0) for found in IMAGE_SIZE.finditer(data, position, end))
        position = max(end, position + 8)
    raise ValueError


def _jpeg_2000(data: bytes) -> tuple[int, int]:
    """The larger of what the file and the stream within it tell: a decoder may believe either."""
    found = CODESTREAM.search(data)
    right, bottom, left, top = struct.unpack(">IIII", found[1] if found else b"")
    header = HEADER_BOX.search(data, 0, found.start()) if found else None
    height, width = _pair(">II", header[1], 0) if header else (0, 0)
    return _largest([(max(right - left, 0), max(bottom - top, 0)), (width, height)])


def _pnm(data: bytes) -> tuple[int, int]:
    found = PNM.match(data, 0, PNM_HEADER)
    if found is None:
        raise ValueError
    return int(found[1]), int(found[2])


READERS: dict[str, Callable[[bytes], tuple[int, int] | None]] = {
    "PNG": _png, "JPEG": _jpeg, "WebP": _webp, "HEIC": _isobmff, "AVIF": _isobmff, "GIF": _gif, "BMP": _bmp,
    "TIFF": _tiff, "JPEG 2000": _jpeg_2000, "PNM": _pnm,
}  # fmt: skip
