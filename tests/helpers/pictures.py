"""Encoded pictures and zips to send."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pillow_heif
from PIL import Image

PNG_BEGINNING = b"\x89PNG\r\n\x1a\n"
FORMATS_MADE = {
    "png": ("PNG", {}), "jpeg": ("JPEG", {}), "progressive": ("JPEG", {"progressive": True}), "mpo": ("MPO", {}),
    "webp": ("WEBP", {}), "lossless": ("WEBP", {"lossless": True}), "gif": ("GIF", {}), "bmp": ("BMP", {}),
    "tiff": ("TIFF", {}), "lzw": ("TIFF", {"compression": "tiff_lzw"}), "avif": ("AVIF", {}), "heic": ("HEIF", {}),
    "jp2": ("JPEG2000", {}), "j2k": ("JPEG2000", {"no_jp2": True}), "ppm": ("PPM", {}),
}  # fmt: skip
"""Pillow's name of a format and options to save as it: at least one of every format that is read."""


def drawing(seed):
    """uint8 [40, 40]: a vertical bar of its own length and a dot."""
    sheet = np.full((40, 40), 255, np.uint8)
    sheet[5 : 20 + seed, 18:22] = 0
    return sheet


def png(seed):
    buffer = io.BytesIO()
    Image.fromarray(drawing(seed)).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(files, method=zipfile.ZIP_DEFLATED, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method, **options) as archive:
        for name, data in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, data)
    return buffer.getvalue()


def png_of_size(width, height):
    """A white grey PNG, written without holding its pixels: 50 megapixels take 64 kB."""
    packer, row = zlib.compressobj(9), b"\0" + b"\xff" * width
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    parts = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def encoded(picture, kind="PNG", **options):
    """Encode a Pillow image or an array."""
    pillow_heif.register_heif_opener()  # which saves, too
    buffer = io.BytesIO()
    (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(buffer, kind, **options)
    return buffer.getvalue()
