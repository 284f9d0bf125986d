"""Computes a model's figures from its answers to the test set and its embedding of those images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import auc, confusion_matrix, roc_curve

from experiments.data import label_errors
from experiments.data.datasets import Dataset
from experiments.data.specs import Split
from experiments.evaluation.drawings import Outcome
from experiments.evaluation.metrics import calibration_error, reliability, separation
from experiments.insights.figures import Bin, Group, Insights, Picture, Point, Refusal, Roc
from experiments.training.progress import Epoch

LEVELS = 32  # steps of a pixel's value
ROC_POINTS = 60
MAPPED = 1_500  # test images on the map
PER_CELL = 8  # pictures of a cell of the confusion matrix
WORST = 40  # mistakes
THRESHOLDS = tuple(step / 100 for step in range(1, 100))  # of the reject class's probability
PER_CLASS = 10  # typical pictures of a class, and unusual ones


class Answers:
    """A model's answers to the test set. probabilities: float [N, K]; embedding: float32 [N, D]."""

    def __init__(self, test: Split, probabilities: np.ndarray, embedding: np.ndarray) -> None:
        self.test, self.embedding = test, embedding
        self.predicted: np.ndarray = probabilities.argmax(axis=1)  # int64 [N]
        self.confidence: np.ndarray = probabilities.max(axis=1)  # float [N], 0 to 1
        self.right = np.equal(self.predicted, test.labels)  # bool [N]
        self.by_confidence = np.argsort(-self.confidence, kind="stable")  # int64 [N]: places, the surest first


def compute_figures(
    dataset: Dataset,
    outputs: np.ndarray,
    embedding: np.ndarray,
    *,
    outcome: Outcome | None,
    refusal: Refusal | None = None,
    curves: Sequence[Epoch],
    model_sha256: str,
) -> tuple[Insights, np.ndarray]:
    """outputs: float32 [N, K or K + 1] and embedding: float32 [N, D] of the test set; outcome,
    refusal: if the data set has drawings. Returns the figures and the tiles that they name, uint8 [T, H, W, C]."""
    spec, test, classes = dataset.spec, dataset.test, range(len(dataset.spec.class_names))
    probabilities = outputs[:, : len(classes)] / outputs[:, : len(classes)].sum(axis=1, keepdims=True)
    answers = Answers(test, probabilities, embedding)
    mapped = sample(test.labels, MAPPED)
    ranked = [_by_typicality(answers, mapped[test.labels[mapped] == k]) for k in classes]
    album = Album(dataset, answers)
    insights = Insights(
        dataset=spec.name,
        class_names=spec.class_names,
        model_sha256=model_sha256,
        **_data_figures(dataset, album),
        confusion=tuple(map(tuple, confusion_matrix(test.labels, answers.predicted, labels=classes).tolist())),
        roc=tuple(_roc(test.labels == k, probabilities[:, k]) for k in classes),
        calibration=_calibration(answers),
        calibration_error=calibration_error(answers.confidence, answers.right),
        right=_histogram(answers.confidence[answers.right]),
        wrong=_histogram(answers.confidence[~answers.right]),
        drawings=drawing_groups(outcome) if outcome else {},
        curves=tuple(curves),
        points=_points(answers, mapped),
        pictures=album.add(_cells(answers, len(classes))),
        worst=album.add(answers.by_confidence[~answers.right[answers.by_confidence]][:WORST]),
        typical=tuple(album.add(places[:PER_CLASS]) for places in ranked),
        unusual=tuple(album.add(places[::-1][:PER_CLASS]) for places in ranked),
        note_source=label_errors.SOURCE if spec.name in label_errors.KNOWN else "",
        refusal=refusal,
    )
    return insights, album.tiles()


class Album:
    """Collects the tiles, each test image once."""

    def __init__(self, dataset: Dataset, answers: Answers) -> None:
        self._spec, self._answers = dataset.spec, answers
        self._tiles: list[np.ndarray] = []
        self._positions: dict[int, int] = {}  # of tiles, by place in the test set

    def add_tile(self, image: np.ndarray) -> int:
        """Add uint8 [H, W, C] and return its position."""
        self._tiles.append(image)
        return len(self._tiles) - 1

    def add(self, places: np.ndarray) -> tuple[Picture, ...]:
        """The test images at these places, int64 [N]."""
        return tuple(map(self._picture, places.tolist()))

    def tiles(self) -> np.ndarray:
        """All of them, uint8 [T, H, W, C]."""
        return np.stack(self._tiles)

    def _picture(self, place: int) -> Picture:
        answers = self._answers
        if place not in self._positions:
            self._positions[place] = self.add_tile(answers.test.images[place])
        true, predicted = int(answers.test.labels[place]), int(answers.predicted[place])
        note = label_errors.note(self._spec.name, place, self._spec.class_names[true])
        return Picture(self._positions[place], true, predicted, _rounded(answers.confidence[place]), note)


def sample(labels: np.ndarray, count: int) -> np.ndarray:
    """`count` places, always the same, spread over the classes as evenly as possible, in ascending order."""
    order = np.random.default_rng(0).permutation(len(labels))
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        own = order[labels[order] == label]
        rank[own] = np.arange(len(own))
    return np.sort(np.argsort(rank, kind="stable")[:count])


def _data_figures(dataset: Dataset, album: Album) -> dict[str, Any]:
    """The fields of Insights that describe the data set, whatever model answers."""
    train, classes = dataset.train, len(dataset.spec.class_names)
    means, deviations = _class_statistics(train, classes)
    brightest = max(deviations.max(), 1e-6)
    splits = {"train": train, "validation": dataset.validation, "test": dataset.test}
    return {
        "counts": {n: tuple(np.bincount(split.labels, minlength=classes).tolist()) for n, split in splits.items()},
        "averages": tuple(album.add_tile(mean.round().astype(np.uint8)) for mean in means),
        "deviations": tuple(album.add_tile((255 * each / brightest).round().astype(np.uint8)) for each in deviations),
        "variation": tuple(_rounded(image.mean()) for image in deviations),
        "likeness": tuple(tuple(map(_rounded, row)) for row in np.corrcoef(means.reshape(classes, -1))),
        "channels": _channels(train.images),
    }


def _class_statistics(split: Split, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the images of each class, float32 [K, H, W, C] each."""
    means, deviations = np.empty((2, classes, *split.images.shape[1:]), np.float32)
    for k in range(classes):
        own = split.images[split.labels == k]
        own.mean(axis=0, dtype=np.float32, out=means[k])
        own.std(axis=0, dtype=np.float32, out=deviations[k])
    return means, deviations


def _by_typicality(answers: Answers, places: np.ndarray) -> np.ndarray:
    """The places of one class's images, those nearest to their centre in the embedding first."""
    own = answers.embedding[places]
    return places[np.argsort(np.linalg.norm(own - own.mean(axis=0), axis=1), kind="stable")]


def _channels(images: np.ndarray) -> dict[str, tuple[float, ...]]:
    names = ("grey",) if images.shape[-1] == 1 else ("red", "green", "blue")
    shares = {}
    for position, name in enumerate(names):
        values = np.bincount(images[..., position].ravel(), minlength=256).reshape(LEVELS, -1).sum(axis=1)
        shares[name] = tuple(float(f"{share:.6f}") for share in values / values.sum())
    return shares


def _roc(own: np.ndarray, score: np.ndarray) -> Roc:
    """own: bool [N], whether an image is of the class; score: float [N], its probability."""
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


def refusal_curve(digits: np.ndarray, non_digits: np.ndarray, threshold: float) -> Refusal:
    """digits: float [N], their reject probabilities; non_digits: float [M]; threshold: the model's own."""
    thresholds = tuple(sorted({*THRESHOLDS, threshold}))
    area, false_positive_rate = separation(digits, non_digits)
    return Refusal(
        thresholds=thresholds,
        digits=tuple(_rounded((digits > step).mean()) for step in thresholds),
        non_digits=tuple(_rounded((non_digits > step).mean()) for step in thresholds),
        counts=(len(digits), len(non_digits)),
        threshold=threshold,
        area=area,
        false_positive_rate=false_positive_rate,
    )


def drawing_groups(outcome: Outcome) -> dict[str, tuple[Group, ...]]:
    """Accuracy by size, brush and turn."""
    return {
        factor: tuple(
            Group(low, high, int(mask.sum()), _rounded(outcome.correct[mask].mean())) for low, high, mask in bins
        )
        for factor, bins in outcome.bins().items()
    }


def _points(answers: Answers, places: np.ndarray) -> tuple[Point, ...]:
    """t-SNE of the embedding, which puts images side by side that the model finds alike."""
    hidden = answers.embedding[places]
    reduced = PCA(min(30, *hidden.shape), random_state=0).fit_transform(hidden)
    positions = TSNE(perplexity=min(30, (len(places) - 1) / 3), max_iter=500, random_state=0).fit_transform(reduced)
    return tuple(
        Point(round(float(x), 1), round(float(y), 1), int(true), int(predicted), _rounded(confidence))
        for (x, y), true, predicted, confidence in zip(
            positions, answers.test.labels[places], answers.predicted[places], answers.confidence[places], strict=True
        )
    )


def _cells(answers: Answers, classes: int) -> np.ndarray:
    """Places of the most confident images of each cell of the confusion matrix, cell by cell."""
    order = answers.by_confidence
    cells = answers.test.labels[order] * classes + answers.predicted[order]
    return np.concatenate([order[cells == cell][:PER_CELL] for cell in range(classes**2)])


def _rounded(value: float) -> float:
    return round(float(value), 4)
