"""Time one prediction in this process, part by part, without a server: `python -m benchmarks.latency`."""

import argparse
import io
import itertools
import time
from collections.abc import Iterator

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

import model_loader
from experiments.data.specs import SPECS, DatasetSpec
from experiments.evaluation import drawings
from experiments.preprocessing.decoding import decode_image
from settings import Settings

COUNT, EXPLAINED = 1000, 20


def main() -> None:
    """Print percentiles of decoding, preprocessing, inference, all three together, and the explanation."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--dataset", choices=sorted(SPECS), default="mnist", help="whose model (default: mnist)")
    spec = SPECS[parser.parse_args().dataset]
    made, what = {"mnist": (_drawings(), "400 x 400 PNG"), "cifar10": (_photos(), "1600 x 1200 JPEG")}[spec.name]
    files = list(made)
    classifier = model_loader.load(spec.name, Settings())
    print(f"{classifier.describe()}, n = {COUNT}, each a {what}")
    parts = np.array([_time(classifier, spec, file) for file in files]) * 1000  # [COUNT, 3] ms
    reasons = np.array([_time_why(classifier, spec, file) for file in files[:EXPLAINED]]) * 1000  # ms
    table = Table(title=f"milliseconds; n = {EXPLAINED} for the last row")
    for heading in ("part", "p50", "p95", "p99"):
        table.add_column(heading, justify="left" if heading == "part" else "right")
    rows = dict(zip(("decode", "preprocess", "infer"), parts.T, strict=True))
    for name, values in (rows | {"one prediction": parts.sum(axis=1), "why this answer": reasons}).items():
        table.add_row(name, *(f"{value:.2f}" for value in np.percentile(values, (50, 95, 99))))
    Console().print(table)


def _drawings() -> Iterator[bytes]:
    """Yield COUNT digits drawn on the pad, RGBA as the browser sends them."""
    rng = np.random.default_rng(0)
    for stroke in drawings.generate(COUNT, seed=0).strokes:
        sheet = drawings.ink(drawings.place(stroke, rng.uniform(0.3, 0.9), rng), 20)
        yield _file(Image.fromarray(sheet).convert("RGBA"), "PNG")


def _photos() -> Iterator[bytes]:
    """Yield COUNT soft, colourful pictures with some grain: twenty different ones, over and over."""
    rng = np.random.default_rng(0)
    grain = rng.normal(0, 6, (1200, 1600, 1))
    files = []
    for _ in range(20):
        coarse = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8))
        soft = np.asarray(coarse.resize((1600, 1200), Image.Resampling.BICUBIC))
        files.append(_file(Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)), "JPEG"))
    yield from itertools.islice(itertools.cycle(files), COUNT)


def _file(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def _time(classifier: model_loader.Classifier, spec: DatasetSpec, file: bytes) -> tuple[float, float, float]:
    """Return the seconds to decode, preprocess and infer."""
    start = time.perf_counter()
    pixels = decode_image(file)
    decoded = time.perf_counter()
    image = spec.prepare(pixels)
    prepared = time.perf_counter()
    classifier.predict(image[np.newaxis])
    return decoded - start, prepared - decoded, time.perf_counter() - prepared


def _time_why(classifier: model_loader.Classifier, spec: DatasetSpec, file: bytes) -> float:
    """Return the seconds to compute the occlusion map of a picture."""
    image = spec.prepare(decode_image(file))
    start = time.perf_counter()
    classifier.explain(image)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
