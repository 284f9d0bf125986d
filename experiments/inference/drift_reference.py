"""The reference distributions of a model's images and answers, against which traffic is tested for drift."""

from pathlib import Path

import numpy as np
import pydantic

from experiments.inference.bundle import REFERENCE, Bundle

POINTS = 500  # of a distribution


@pydantic.dataclasses.dataclass(frozen=True)
class Reference:
    """Distributions over images that the model was not trained on. `labels`: answers by class; `looks`: by statistic,
    its quantiles at POINTS even steps."""

    labels: tuple[int, ...]
    looks: dict[str, tuple[float, ...]]


def measure(images: np.ndarray, outputs: np.ndarray, classes: int) -> Reference:
    """Compute the reference from images uint8 [N, H, W, C] and a model's outputs float32 [N, >= K], K classes first."""
    probabilities = outputs[:, :classes]
    values = {"confidence": probabilities.max(axis=1), **image_statistics(images)}
    return Reference(
        labels=tuple(np.bincount(probabilities.argmax(axis=1), minlength=classes).tolist()),
        looks={name: _quantiles(sample) for name, sample in values.items()},
    )


def image_statistics(images: np.ndarray) -> dict[str, np.ndarray]:
    """Statistics float [N] of images uint8 [N, H, W, C]: ink (share of the area) and stroke width (px) of drawings,
    brightness and contrast (grey levels) of photos."""
    grey = images.mean(axis=3)  # [N, H, W], 0 to 255
    if images.shape[3] > 1:
        return {"brightness": grey.mean(axis=(1, 2)), "contrast": grey.std(axis=(1, 2))}
    area = grey.sum(axis=(1, 2))
    across, down = (np.abs(np.diff(grey, axis=axis)).sum(axis=(1, 2)) for axis in (2, 1))
    outline = np.maximum((across + down) * np.pi / 4, 1)  # so that an edge counts its length in any direction
    return {"ink": area / (255 * grey[0].size), "stroke width": 2 * area / outline}


def write(reference: Reference, folder: Path) -> None:
    """Write the reference into a bundle's folder."""
    (folder / REFERENCE).write_bytes(_ADAPTER.dump_json(reference) + b"\n")


def read(bundle: Bundle) -> Reference | None:
    """Read a bundle's reference; None if it is damaged or missing, as in bundles of older versions."""
    try:
        return _ADAPTER.validate_json((bundle.folder / REFERENCE).read_bytes())
    except (OSError, pydantic.ValidationError):
        return None


def _quantiles(values: np.ndarray) -> tuple[float, ...]:
    quantiles = np.quantile(values, np.linspace(0, 1, POINTS), method="inverted_cdf")
    return tuple(float(f"{value:.5g}") for value in quantiles)


_ADAPTER = pydantic.TypeAdapter(Reference)
