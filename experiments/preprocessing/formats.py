"""The formats of pictures that are read: one list for the decoders, every message and the page's file pickers."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """A format. plugin: Pillow's decoder of it; beginning: how its files begin; types: its media types."""

    name: str
    plugin: str
    beginning: re.Pattern[bytes]
    types: tuple[str, ...]
    suffixes: tuple[str, ...]


def _format(name: str, plugin: str, beginning: bytes, types: str, suffixes: str) -> Format:
    return Format(name, plugin, re.compile(beginning, re.DOTALL), tuple(types.split()), tuple(suffixes.split()))


HEIC_BRANDS = rb"heic|heix|heim|heis|hevc|hevx|hevm|hevs|mif1|msf1"
FORMATS = (
    _format("PNG", "PNG", rb"\x89PNG\r\n\x1a\n", "image/png", ".png .apng"),
    _format("JPEG", "JPEG", rb"\xff\xd8\xff", "image/jpeg", ".jpg .jpeg .jpe .jfif .mpo"),
    _format("WebP", "WEBP", rb"RIFF....WEBP", "image/webp", ".webp"),
    _format("HEIC", "HEIF", rb"....ftyp(?!.{4,60}avif)(?:" + HEIC_BRANDS + rb")", "image/heic", ".heic .heif .hif"),
    _format("AVIF", "AVIF", rb"....ftyp(?:avif|avis|m[is]f1)", "image/avif", ".avif"),
    _format("GIF", "GIF", rb"GIF8[79]a", "image/gif", ".gif"),
    _format("BMP", "BMP", rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", "image/bmp", ".bmp .dib"),
    _format("TIFF", "TIFF", rb"II[*+]\0|MM\0[*+]", "image/tiff", ".tif .tiff"),
    _format("JPEG 2000", "JPEG2000", rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", "image/jp2", ".jp2 .j2k .jpf .jpx"),
    _format("PNM", "PPM", rb"P[1-6][\s#]", "image/x-portable-anymap", ".pnm .pbm .pgm .ppm"),
)
"""The usual ones first."""
NAMES = f"{', '.join(known.name for known in FORMATS[:-1])} or {FORMATS[-1].name}"
TYPES = tuple(media_type for known in FORMATS for media_type in known.types)
SUFFIXES = tuple(suffix for known in FORMATS for suffix in known.suffixes)
FOREIGN = {
    "a PDF": rb"%PDF", "an SVG or XML file": rb"\s*<(?:\?xml|svg)", "a web page": rb"\s*<(?:!doctype|html)",
    "a zip": rb"PK\x03\x04", "a JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ", "a video": rb"....ftyp|\x1aE\xdf\xa3",
    "a Photoshop file": rb"8BPS", "a gzip": rb"\x1f\x8b",
}  # fmt: skip
"""What people take for such a picture, and how it begins."""


def format_of(data: bytes) -> Format | None:
    """Return the format of an encoded picture by its first bytes; None for anything else."""
    return next((known for known in FORMATS if known.beginning.match(data)), None)


def name_of(data: bytes) -> str:
    """Return what it is that is no picture; empty where it is not known."""
    known = (name for name, beginning in FOREIGN.items() if re.match(beginning, data, re.DOTALL | re.IGNORECASE))
    return next(known, "")
