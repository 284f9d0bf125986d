"""Names of files as other systems write them."""

import re
import unicodedata
from pathlib import PurePosixPath

ADDED_BY_SYSTEMS = {
    "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "@eadir", "#recycle", "$recycle.bin", "lost+found",
    "system volume information",
}  # fmt: skip
DRIVE = re.compile(r"[A-Za-z]:")


def tidy(name: str) -> str:
    """The name with slashes, composed characters (macOS decomposes them), and replacements for what can't be shown."""
    if name.isascii() and name.isprintable():
        return name.replace("\\", "/")
    composed = unicodedata.normalize("NFC", name.replace("\\", "/"))
    return "".join(" " if c.isspace() else c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in composed)


def is_added_by_system(name: str) -> bool:
    """Whether a file, or a folder that it is in, is hidden or one that systems add. name: with slashes."""
    parts = PurePosixPath(name).parts
    return any((part.startswith(".") and part != "..") or part.lower() in ADDED_BY_SYSTEMS for part in parts)


def leads_out(name: str) -> bool:
    """Whether a name, with slashes, leaves the folder that it is unpacked into, on any system."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or bool(DRIVE.match(name))
