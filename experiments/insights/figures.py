"""The figures that explain a model and its data: measured once, and kept in its bundle."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydantic
from PIL import Image

from experiments.inference.bundle import INSIGHTS, TFLITE, TILES, Bundle, replace_file
from experiments.training.progress import Epoch

COLUMNS = 32  # tiles in a row of the sheet
EXCLUDED = {"curves": {"__all__": {"epochs", "seconds"}}}  # fields of an epoch that the file does not have
UNITS = {"size": "% of the pad", "brush": "px", "turn": "degrees"}  # of what drawings are grouped by


class InsightsError(RuntimeError):
    """A model's figures are missing or damaged. Worded for the person who runs the project."""


@dataclass(frozen=True)
class Roc:
    """One class against the rest: false and true positive rates, 0 to 1, and the area under the curve."""

    false_positives: tuple[float, ...]
    true_positives: tuple[float, ...]
    area: float


@dataclass(frozen=True)
class Bin:
    """Answers of similar confidence: its mean, the share that is right, how many."""

    confidence: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class Group:
    """Drawings whose size (as a share of the pad), brush or turn is between `low` and `high`: how many, and the share
    read right."""

    low: float
    high: float
    count: int
    accuracy: float

    def bounds(self, factor: str) -> str:
        """As `15 to 30`, in UNITS of the factor."""
        scale = 100 if factor == "size" else 1
        return f"{scale * self.low:g} to {scale * self.high:g}"

    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the accuracy."""
        count, share, z = self.count, self.accuracy, 1.96
        centre = (share + z * z / (2 * count)) / (1 + z * z / count)
        half = z * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5 / (1 + z * z / count)
        return centre - half, max(centre + half, share)


@dataclass(frozen=True)
class Refusal:
    """Digits and non-digits held out, by the probability of the reject class above which they would be rejected: the
    shares rejected, 0 to 1, at each threshold. `threshold`: the model's own; `area`, `false_positive_rate`: as
    metrics.separation gives them."""

    thresholds: tuple[float, ...]
    digits: tuple[float, ...]
    non_digits: tuple[float, ...]
    counts: tuple[int, int]  # of digits and non-digits
    threshold: float
    area: float
    false_positive_rate: float

    def at_threshold(self) -> tuple[float, float]:
        """The shares of digits and non-digits that the model rejects."""
        place = self.thresholds.index(self.threshold)
        return self.digits[place], self.non_digits[place]


@dataclass(frozen=True)
class Point:
    """A test image on the map; x and y have no unit. Classes are positions in the class names."""

    x: float
    y: float
    true: int
    predicted: int
    confidence: float


@dataclass(frozen=True)
class Picture:
    """A test image on the sheet of tiles. note: what is known of its label, mostly nothing."""

    tile: int
    true: int
    predicted: int
    confidence: float
    note: str = ""


@dataclass(frozen=True)
class Insights:
    """Everything that the plots show; of the official test set unless stated otherwise. K classes."""

    dataset: str
    class_names: tuple[str, ...]
    model_sha256: str  # of the LiteRT file that was measured
    counts: dict[str, tuple[int, ...]]  # images by class of train, validation, test; answers of traffic
    averages: tuple[int, ...]  # tiles: each class's average training image
    deviations: tuple[int, ...]  # tiles: where its images differ, as standard deviation
    variation: tuple[float, ...]  # by class: mean standard deviation of a pixel, 0 to 255
    likeness: tuple[tuple[float, ...], ...]  # [K, K]: correlation of the average images
    channels: dict[str, tuple[float, ...]]  # by channel: share of pixels in equal steps from 0 to 255
    confusion: tuple[tuple[int, ...], ...]  # [K, K]: true by predicted
    roc: tuple[Roc, ...]
    calibration: tuple[Bin, ...]
    calibration_error: float
    right: tuple[int, ...]  # right answers by confidence, in equal steps from 0 to 1
    wrong: tuple[int, ...]  # and wrong ones
    drawings: dict[str, tuple[Group, ...]]  # by size, brush and turn; empty for data sets that nobody draws
    curves: tuple[Epoch, ...]  # of the training; empty when unknown
    points: tuple[Point, ...]
    pictures: tuple[Picture, ...]  # some of each cell of the confusion matrix, the most confident first
    worst: tuple[Picture, ...]  # the most confident mistakes
    typical: tuple[tuple[Picture, ...], ...]  # by class: nearest to its centre in the embedding
    unusual: tuple[tuple[Picture, ...], ...]  # and furthest from it
    note_source: str = ""  # of the notes on labels
    refusal: Refusal | None = None  # of validation, drawings and non-digits; None where nothing is rejected or measured

    @property
    def matrix(self) -> np.ndarray:
        """int64 [K, K]: true by predicted."""
        return np.array(self.confusion, np.int64)

    @property
    def mistakes(self) -> np.ndarray:
        """int64 [K, K]: the same without the right answers."""
        return self.matrix - np.diag(self.matrix.diagonal())

    def scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Precision, recall and F1 by class, float [K] each, 0 to 1."""
        right, given, true = self.matrix.diagonal(), self.matrix.sum(axis=0), self.matrix.sum(axis=1)
        return right / np.maximum(given, 1), right / np.maximum(true, 1), 2 * right / np.maximum(given + true, 1)

    def commonest_mistake(self) -> tuple[str, str]:
        """Names of the true and the predicted class."""
        true, predicted = np.unravel_index(self.mistakes.argmax(), self.mistakes.shape)
        return self.class_names[true], self.class_names[predicted]

    def cell(self, true: int, predicted: int) -> list[Picture]:
        """The pictures of one cell of the confusion matrix."""
        return [picture for picture in self.pictures if (picture.true, picture.predicted) == (true, predicted)]


def row_shares(confusion: np.ndarray) -> np.ndarray:
    """int64 [K, K], true by predicted, as float [K, K]: shares of the true class."""
    shares: np.ndarray = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    return shares


def write(insights: Insights, tiles: np.ndarray, folder: Path) -> None:
    """Write them into a bundle's folder. tiles: uint8 [T, H, W, C], each at the position that a picture names."""
    write_without_tiles(insights, folder)
    count, height, width, channels = tiles.shape
    rows = -(-count // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, height, width, channels), np.uint8)
    sheet[:count] = tiles
    pixels = sheet.reshape(rows, COLUMNS, height, width, channels).swapaxes(1, 2)
    pixels = pixels.reshape(rows * height, COLUMNS * width, channels)
    image = Image.fromarray(pixels.squeeze(2) if channels == 1 else pixels)
    image.save(folder / TILES, lossless=channels == 1, quality=90, method=6)


def write_without_tiles(insights: Insights, folder: Path) -> None:
    """Write figures whose tiles are in the folder already, atomically."""
    replace_file(folder / INSIGHTS, _ADAPTER.dump_json(insights, exclude=EXCLUDED) + b"\n")


def read(bundle: Bundle) -> Insights:
    """A model's figures. Raises InsightsError."""
    path = bundle.folder / INSIGHTS
    try:
        insights = _ADAPTER.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InsightsError(f"This model has no figures yet. {_advice(bundle)}") from error
    except (OSError, pydantic.ValidationError) as error:
        raise InsightsError(f"{path} can't be used. {_advice(bundle)}") from error
    if insights.model_sha256 != bundle.sha256[TFLITE]:
        raise InsightsError(f"{path} describes another model. {_advice(bundle)}")
    return insights


def read_tiles(bundle: Bundle) -> np.ndarray:
    """The tiles of its sheet, uint8 [T, H, W, C]. Raises InsightsError."""
    height, width, channels = bundle.input_shape
    try:
        with Image.open(bundle.folder / TILES) as image:
            pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InsightsError(f"{bundle.folder / TILES} can't be used. {_advice(bundle)}") from error
    rows = pixels.shape[0] // height
    tiles = pixels[: rows * height, : COLUMNS * width].reshape(rows, height, COLUMNS, width, channels)
    return tiles.swapaxes(1, 2).reshape(-1, height, width, channels)


def _advice(bundle: Bundle) -> str:
    return f"`python -m experiments insights --dataset {bundle.dataset} --bundle {bundle.folder}` makes them."


_ADAPTER = pydantic.TypeAdapter(Insights)
