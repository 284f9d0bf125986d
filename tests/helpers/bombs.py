"""Encoded pictures and zips that unpack to far more than they are."""

import io
import struct
import zipfile
import zlib

import pillow_heif
from PIL import Image

CHANNELS = {0: 1, 2: 3, 6: 4}  # of a PNG, by its colour type
BLOCK = 4_000_000  # bytes
FIFTY_MEGAPIXELS = 7071  # px, width and height of the largest picture that is taken


def png(width: int, height: int, colour: int = 0, bits: int = 8, rows: int | None = None, shade: int = 0) -> bytes:
    """White, but for the last pixel row, which is of this shade. rows: that it really has, if not `height`; 0: none."""
    row = b"\0" + b"\xff" * (0 if rows == 0 else width * CHANNELS[colour] * bits // 8)
    rows = height if rows is None else rows
    packer, together = zlib.compressobj(1), max(1, BLOCK // len(row))  # few calls, for the sake of other threads
    blocks, rest = divmod(max(0, rows - 1), together)
    data = b"".join(packer.compress(row * together) for _ in range(blocks)) + packer.compress(row * rest)
    data += packer.compress(b"\0" + bytes([shade]) * (len(row) - 1)) + packer.flush()
    size = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(kind: bytes, size: int) -> bytes:
    """28×28, with a chunk of metadata that unpacks to so many bytes."""
    picture, metadata = png(28, 28), b"a\0\0" + zlib.compress(bytes(size), 9)
    end_of_header = 8 + 25
    return picture[:end_of_header] + chunk(kind, metadata) + picture[end_of_header:]


def jpeg_of_many_scans(scans: int, side: int = 7000, shade: int = 255) -> bytes:
    """Progressive, its last scan again and again: each costs as much as the first, in a few hundred bytes."""
    buffer = io.BytesIO()
    Image.new("L", (side, side), shade).save(buffer, "JPEG", progressive=True, quality=50)
    content, end = buffer.getvalue()[:-2], b"\xff\xd9"
    return content + content[content.rindex(b"\xff\xda") :] * scans + end


def webp(side: int) -> bytes:
    """Lossless, of one colour: a few bytes a megapixel."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "white").save(buffer, "WEBP", lossless=True, quality=0, method=0)
    return buffer.getvalue()


def tiff(side: int, mode: str, compression: str) -> bytes:
    """White, in few bytes a megapixel."""
    return _saved(Image.new(mode, (side, side), 1), "TIFF", compression=compression)


def tiff_of_tags(tags: int, values: int) -> bytes:
    """8×8, with so many tags that each claim so many bytes, the same for all."""
    entries = struct.pack("<HHIIHHII", 256, 4, 1, 8, 257, 4, 1, 8)
    entries += b"".join(struct.pack("<HHII", 1000 + tag, 7, values, 8) for tag in range(tags))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", tags + 2) + entries + bytes(2_000_000)


def avif(side: int) -> bytes:
    """Of one colour: a few bytes a megapixel."""
    return _saved(Image.new("L", (side, side)), "AVIF", speed=10, quality=10)


def jpeg_2000(side: int) -> bytes:
    """Likewise."""
    return _saved(Image.new("L", (side, side)), "JPEG2000")


def lying_heic(side: int, claimed: int) -> bytes:
    """A HEIC whose header tells of a smaller picture than there is in it."""
    pillow_heif.register_heif_opener()
    content = _saved(Image.new("L", (side, side)), "HEIF", quality=10)
    start = content.index(b"ispe") + 8
    return content[:start] + struct.pack(">II", claimed, claimed) + content[start + 8 :]


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def overlapping_zip(content: bytes, count: int) -> bytes:
    """A zip whose directory names the same packed file so many times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", content)
    packed = buffer.getvalue()
    directory, end = packed.rindex(b"PK\x01\x02"), packed.rindex(b"PK\x05\x06")
    entry, tail = packed[directory:end], bytearray(packed[end:])
    tail[8:12], tail[12:16] = struct.pack("<HH", count, count), struct.pack("<I", len(entry) * count)
    return packed[:directory] + entry * count + bytes(tail)


def lying_zip(size: int, claimed: int) -> bytes:
    """A zip with a file that unpacks to `size` bytes and says that it has `claimed`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(size))
    return buffer.getvalue().replace(struct.pack("<I", size), struct.pack("<I", claimed))


def form(parts: list[bytes], boundary: bytes = b"b") -> bytes:
    """A multipart body of these parts, each with its headers."""
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
