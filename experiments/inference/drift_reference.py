"""What a model was made for, in figures: how its images look and what it says of them. Traffic is compared with it."""

from pathlib import Path

import numpy as np
import pydantic

from experiments.inference.bundle import REFERENCE, Bundle

POINTS = 500  # of a distribution
DATA = pydantic.dataclasses.dataclass(frozen=True)


@DATA
class Reference:
    """Of images that the model has not seen. `labels`: answers by class; `looks`: name of a measure -> its values at
    POINTS even steps from the lowest to the highest."""

    labels: tuple[int, ...]
    looks: dict[str, tuple[float, ...]]


def measure(images: np.ndarray, outputs: np.ndarray, classes: int) -> Reference:
    """images: uint8 [N, H, W, C]; outputs: float32 [N, >= classes] of the model, the classes first."""
    probabilities = outputs[:, :classes]
    values = {"confidence": probabilities.max(axis=1), **image_statistics(images)}
    return Reference(
        labels=tuple(np.bincount(probabilities.argmax(axis=1), minlength=classes).tolist()),
        looks={name: _sample(each) for name, each in values.items()},
    )


def image_statistics(images: np.ndarray) -> dict[str, np.ndarray]:
    """images: uint8 [N, H, W, C]. Returns float [N] each: ink (share of full) and stroke width (px) of drawings,
    brightness and contrast (grey levels) of photos."""
    grey = images.mean(axis=3)  # [N, H, W], 0 to 255
    if images.shape[3] > 1:
        return {"brightness": grey.mean(axis=(1, 2)), "contrast": grey.std(axis=(1, 2))}
    area = grey.sum(axis=(1, 2))
    across, down = (np.abs(np.diff(grey, axis=axis)).sum(axis=(1, 2)) for axis in (2, 1))
    outline = np.maximum((across + down) * np.pi / 4, 1)  # an edge of any direction counts its length
    return {"ink": area / (255 * grey[0].size), "stroke width": 2 * area / outline}


def write(reference: Reference, folder: Path) -> None:
    """Into a bundle's folder."""
    (folder / REFERENCE).write_bytes(_ADAPTER.dump_json(reference) + b"\n")


def read(bundle: Bundle) -> Reference | None:
    """None where a bundle has none, as those of older versions, or a damaged one."""
    try:
        return _ADAPTER.validate_json((bundle.folder / REFERENCE).read_bytes())
    except (OSError, pydantic.ValidationError):
        return None


def _sample(values: np.ndarray) -> tuple[float, ...]:
    steps = np.quantile(values, np.linspace(0, 1, POINTS), method="inverted_cdf")
    return tuple(float(f"{value:.5g}") for value in steps)


_ADAPTER = pydantic.TypeAdapter(Reference)
