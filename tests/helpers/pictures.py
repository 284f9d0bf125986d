"""Encoded pictures and zips to send."""

import io
import zipfile

import numpy as np
from PIL import Image


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
