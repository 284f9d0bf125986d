"""Measures a model for its insights, from what it answers to the test set and where it puts those images."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from experiments.data import label_errors
from experiments.data.datasets import Dataset
from experiments.data.specs import Split
from experiments.evaluation import drawings
from experiments.evaluation.drawings import Outcome
from experiments.evaluation.metrics import calibration_error, reliability
from experiments.insights.figures import Bin, Group, Insights, Picture, Point, Roc
from experiments.training.progress import Epoch

LEVELS = 32  # steps of a pixel's value
ROC_POINTS = 60
MAPPED = 1_500  # test images on the map
PER_CELL = 8  # pictures of a cell of the confusion matrix
WORST = 40  # mistakes
PER_CLASS = 10  # typical pictures of a class, and unusual ones


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model makes of the test set: probabilities float [N, K], embedding float32 [N, D]."""

    test: Split
    probabilities: np.ndarray
    embedding: np.ndarray
    predicted: np.ndarray = field(init=False)
    confidence: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "predicted", self.probabilities.argmax(axis=1))
        object.__setattr__(self, "confidence", self.probabilities.max(axis=1))

    @property
    def right(self) -> np.ndarray:
        """bool [N]."""
        return self.predicted == self.test.labels


def compute_figures(
    dataset: Dataset,
    outputs: np.ndarray,
    embedding: np.ndarray,
    *,
    outcome: Outcome | None,
    curves: Sequence[Epoch],
    model_sha256: str,
) -> tuple[Insights, np.ndarray]:
    """outputs: float32 [N, K or K + 1] and embedding: float32 [N, D] of the test set; outcome: of drawings, if the
    data set has them. Returns the figures and the tiles that their pictures name, uint8 [T, H, W, C]."""
    classes = len(dataset.spec.class_names)
    probabilities = outputs[:, :classes] / outputs[:, :classes].sum(axis=1, keepdims=True)
    answers = Answers(dataset.test, probabilities, embedding)
    shown = sample(dataset.test.labels, MAPPED)
    album = Album(dataset, answers)
    insights = Insights(
        dataset=dataset.spec.name,
        class_names=dataset.spec.class_names,
        model_sha256=model_sha256,
        **_of_data(dataset, classes, album),
        confusion=_confusion(answers, classes),
        roc=tuple(_roc(dataset.test.labels == k, probabilities[:, k]) for k in range(classes)),
        calibration=_calibration(answers),
        calibration_error=calibration_error(answers.confidence, answers.right),
        right=_histogram(answers.confidence[answers.right]),
        wrong=_histogram(answers.confidence[~answers.right]),
        drawings=_drawings(outcome) if outcome else {},
        curves=tuple(curves),
        points=_points(answers, shown),
        pictures=tuple(album.add(place) for place in _cells(answers, classes)),
        worst=tuple(album.add(place) for place in _worst(answers)),
        **_of_classes(answers, shown, classes, album),
        note_source=label_errors.SOURCE if dataset.spec.name in label_errors.KNOWN else "",
    )
    return insights, album.tiles()


class Album:
    """Collects pictures, each test image once."""

    def __init__(self, dataset: Dataset, answers: Answers) -> None:
        self._spec, self._answers = dataset.spec, answers
        self._tiles: list[np.ndarray] = []
        self._places: dict[int, int] = {}

    def tile(self, image: np.ndarray) -> int:
        """Puts in uint8 [H, W, C] and returns its position."""
        self._tiles.append(image)
        return len(self._tiles) - 1

    def add(self, place: int) -> Picture:
        """The test image at this place."""
        answers, place = self._answers, int(place)
        if place not in self._places:
            self._places[place] = self.tile(answers.test.images[place])
        true, predicted = int(answers.test.labels[place]), int(answers.predicted[place])
        note = label_errors.note(self._spec.name, place, self._spec.class_names[true])
        return Picture(self._places[place], true, predicted, _rounded(answers.confidence[place]), note)

    def tiles(self) -> np.ndarray:
        """All of them, uint8 [T, H, W, C]."""
        return np.stack(self._tiles)


def sample(labels: np.ndarray, count: int) -> np.ndarray:
    """The same places each time: so many of them, as evenly over the classes as there are, in order."""
    order = np.random.default_rng(0).permutation(len(labels))
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        own = order[labels[order] == label]
        rank[own] = np.arange(len(own))
    return np.sort(np.argsort(rank, kind="stable")[:count])


def _of_data(dataset: Dataset, classes: int, album: Album) -> dict[str, Any]:
    """What the data set is like, whatever model answers to it."""
    train = dataset.train
    means, deviations = np.empty((2, classes, *train.images.shape[1:]), np.float32)
    for k in range(classes):
        own = train.images[train.labels == k]
        own.mean(axis=0, dtype=np.float32, out=means[k])
        own.std(axis=0, dtype=np.float32, out=deviations[k])
    brightest = max(deviations.max(), 1e-6)
    likeness = np.corrcoef(means.reshape(classes, -1))
    return {
        "counts": {name: _counts(getattr(dataset, name).labels, classes) for name in ("train", "validation", "test")},
        "averages": tuple(album.tile(mean.round().astype(np.uint8)) for mean in means),
        "deviations": tuple(album.tile((255 * each / brightest).round().astype(np.uint8)) for each in deviations),
        "variation": tuple(_rounded(each.mean()) for each in deviations),
        "likeness": tuple(tuple(map(_rounded, row)) for row in likeness),
        "channels": _channels(train.images),
    }


def _of_classes(answers: Answers, shown: np.ndarray, classes: int, album: Album) -> dict[str, Any]:
    """By class the pictures nearest to the centre of its images in the embedding, and the furthest."""
    typical, unusual = [], []
    for k in range(classes):
        own = shown[answers.test.labels[shown] == k]
        distance = np.linalg.norm(answers.embedding[own] - answers.embedding[own].mean(axis=0), axis=1)
        order = own[np.argsort(distance, kind="stable")]
        typical.append(tuple(album.add(place) for place in order[:PER_CLASS]))
        unusual.append(tuple(album.add(place) for place in order[::-1][:PER_CLASS]))
    return {"typical": tuple(typical), "unusual": tuple(unusual)}


def _counts(labels: np.ndarray, classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(labels, minlength=classes).tolist())


def _channels(images: np.ndarray) -> dict[str, tuple[float, ...]]:
    names = ("grey",) if images.shape[-1] == 1 else ("red", "green", "blue")
    shares = {}
    for position, name in enumerate(names):
        values = np.bincount(images[..., position].ravel(), minlength=256).reshape(LEVELS, -1).sum(axis=1)
        shares[name] = tuple(float(f"{share:.6f}") for share in values / values.sum())
    return shares


def _confusion(answers: Answers, classes: int) -> tuple[tuple[int, ...], ...]:
    from sklearn.metrics import confusion_matrix

    return tuple(map(tuple, confusion_matrix(answers.test.labels, answers.predicted, labels=range(classes)).tolist()))


def _roc(own: np.ndarray, score: np.ndarray) -> Roc:
    """own: bool [N], whether an image is of the class; score: float [N], its probability."""
    from sklearn.metrics import auc, roc_curve

    false_positives, true_positives, _ = roc_curve(own, score)
    steps = np.concatenate([[0], np.geomspace(1 / max((~own).sum(), 2), 1, ROC_POINTS)])
    places = np.searchsorted(false_positives, steps, side="right") - 1
    area = float(auc(false_positives, true_positives))
    return Roc(tuple(map(_rounded, steps)), tuple(map(_rounded, true_positives[places])), area)


def _calibration(answers: Answers) -> tuple[Bin, ...]:
    return tuple(
        Bin(_rounded(confidence), _rounded(accuracy), int(count))
        for confidence, accuracy, count in zip(*reliability(answers.confidence, answers.right), strict=True)
    )


def _histogram(confidence: np.ndarray) -> tuple[int, ...]:
    return tuple(np.histogram(confidence, bins=20, range=(0, 1))[0].tolist())


def _drawings(outcome: Outcome) -> dict[str, tuple[Group, ...]]:
    sheets, groups = outcome.drawings, {}
    bounds = {"size": (sheets.sizes, drawings.SIZES), "brush": (sheets.brushes, drawings.BRUSHES)}
    bounds["turn"] = (sheets.turns, drawings.TURNS)
    for name, (values, edges) in bounds.items():
        masks = [(low, high, (values >= low) & (values < high)) for low, high in pairwise(edges)]
        groups[name] = tuple(
            Group(low, high, int(mask.sum()), _rounded(outcome.correct[mask].mean()))
            for low, high, mask in masks
            if mask.any()
        )
    return groups


def _points(answers: Answers, shown: np.ndarray) -> tuple[Point, ...]:
    """t-SNE of the embedding, which puts images together that the model finds alike."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    hidden = answers.embedding[shown]
    reduced = PCA(min(30, *hidden.shape), random_state=0).fit_transform(hidden)
    map_ = TSNE(perplexity=min(30, (len(shown) - 1) / 3), max_iter=500, random_state=0).fit_transform(reduced)
    return tuple(
        Point(round(float(x), 1), round(float(y), 1), int(true), int(predicted), _rounded(confidence))
        for (x, y), true, predicted, confidence in zip(
            map_, answers.test.labels[shown], answers.predicted[shown], answers.confidence[shown], strict=True
        )
    )


def _cells(answers: Answers, classes: int) -> list[int]:
    """Places of the most confident images of each cell of the confusion matrix."""
    order = np.argsort(-answers.confidence, kind="stable")
    cells = answers.test.labels[order] * classes + answers.predicted[order]
    return [place for cell in range(classes**2) for place in order[cells == cell][:PER_CELL].tolist()]


def _worst(answers: Answers) -> list[int]:
    order = np.argsort(-answers.confidence, kind="stable")
    return order[~answers.right[order]][:WORST].tolist()


def _rounded(value: float) -> float:
    return round(float(value), 4)
