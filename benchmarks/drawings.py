"""Generate the drawings of the load tests, the same for every server: `python -m benchmarks.drawings FOLDER`."""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from experiments.evaluation import drawings

COUNT = 2000
SMALL = (28, 64)  # px: sides of the small pictures of a batch


def sheets(count: int = COUNT, seed: int = 0) -> list[np.ndarray]:
    """Return generated digits as drawn on the pad, uint8 [400, 400] each, black on white."""
    rng = np.random.default_rng(seed)
    strokes = drawings.generate(count, seed).strokes
    return [drawings.ink(drawings.place(stroke, rng.uniform(0.3, 0.9), rng), rng.uniform(16, 28)) for stroke in strokes]


def write(folder: Path) -> None:
    """Write COUNT files, 0000.png and so on, RGBA as the browser sends them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, sheet in enumerate(sheets()):
        (folder / f"{number:04}.png").write_bytes(png(sheet, "RGBA"))


def small(count: int, seed: int = 0) -> list[bytes]:
    """Return grey PNGs of digits, each SMALL[0] to SMALL[1] px a side."""
    rng = np.random.default_rng(seed)
    sides = rng.integers(SMALL[0], SMALL[1] + 1, count)
    images = [Image.fromarray(sheet) for sheet in sheets(count, seed)]
    return [png(np.asarray(image.resize((side, side))), "L") for image, side in zip(images, sides, strict=True)]


def png(pixels: np.ndarray, mode: str) -> bytes:
    """Encode pixels, uint8 [H, W], as a PNG of this Pillow mode."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
