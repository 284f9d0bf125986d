"""One prediction inside the process, in parts: `python -m benchmarks.latency`. No network, no page."""

import io
import time

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

import model_loader
from experiments import drawn
from experiments.datasets import SPECS
from experiments.preprocessing import decode_image
from settings import Settings

COUNT = 1000


def main() -> None:
    """Prints the percentiles of decoding a 400 x 400 PNG, preparing it, answering it, and all three."""
    classifier = model_loader.load("mnist", Settings())
    print(f"{classifier.describe()}, n = {COUNT}")
    files = [_png(sheet) for sheet in _sheets()]
    parts = np.array([_time(classifier, file) for file in files]) * 1000  # [COUNT, 3] ms
    table = Table(title="milliseconds")
    for heading in ("part", "p50", "p95", "p99"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    for name, values in zip(
        ("decode", "prepare", "infer", "one prediction"), [*parts.T, parts.sum(axis=1)], strict=True
    ):
        table.add_row(name, *(f"{value:.2f}" for value in np.percentile(values, (50, 95, 99))))
    Console().print(table)


def _sheets() -> list[np.ndarray]:
    """COUNT digits drawn on the pad, uint8 [400, 400] each."""
    rng = np.random.default_rng(0)
    strokes = drawn.generate(COUNT, seed=0).strokes
    return [drawn.ink(drawn.place(stroke, rng.uniform(0.3, 0.9), rng), 20) for stroke in strokes]


def _png(sheet: np.ndarray) -> bytes:
    """As the browser sends it: RGBA."""
    buffer = io.BytesIO()
    Image.fromarray(sheet).convert("RGBA").save(buffer, "PNG")
    return buffer.getvalue()


def _time(classifier: model_loader.Classifier, file: bytes) -> tuple[float, float, float]:
    """Seconds to decode, prepare and answer."""
    start = time.perf_counter()
    pixels = decode_image(file)
    decoded = time.perf_counter()
    image = SPECS["mnist"].prepare(pixels)
    prepared = time.perf_counter()
    classifier.predict(image[np.newaxis])
    return decoded - start, prepared - decoded, time.perf_counter() - prepared


if __name__ == "__main__":
    main()
