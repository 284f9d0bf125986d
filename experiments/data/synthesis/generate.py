"""The training images that the project makes itself: digits it draws, MNIST's in other styles, what is none of a
data set's classes, and what could be several."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from tqdm import tqdm

from experiments.data.datasets import Dataset, join
from experiments.data.specs import Split
from experiments.data.synthesis.digits import draw_ambiguous, draw_digits
from experiments.data.synthesis.non_digits import draw_non_digits
from experiments.data.synthesis.outlier_photos import draw_outlier_photos
from experiments.data.synthesis.restyling import restyle

CHUNK = 1_000  # images a task
ALONE = 4_000  # so many are sooner made than processes are started


@dataclass(frozen=True)
class Amounts:
    """How many images of each kind."""

    drawn: int = 0  # digits from the project's own stroke templates
    restyled: int = 0  # training images in another style, each at most once
    non_digits: int = 0  # what is no digit; its label is the number of classes
    outlier_photos: int = 0  # photos of none of the classes; likewise
    ambiguous: int = 0  # what could be several digits; its label is the number of outputs: equally like any

    @property
    def total(self) -> int:
        """All kinds together."""
        return self.drawn + self.restyled + self.non_digits + self.outlier_photos + self.ambiguous


def synthesise(amounts: Amounts, dataset: Dataset, seed: int) -> Split:
    """uint8 [N, H, W, C] and labels, made on all cores. The same amounts, data and seed give the same images."""
    tasks = list(_tasks(amounts, dataset, seed))
    if not tasks:
        return Split(dataset.train.images[:0], dataset.train.labels[:0])
    if amounts.total <= ALONE:
        return join(*map(_make, tasks))
    spawn = multiprocessing.get_context("spawn")  # a fork of TensorFlow's threads may hang
    made = []
    with (
        tqdm(total=amounts.total, unit="image", desc="Drawing", mininterval=0.5) as progress,
        # OpenCV's own threads would only be in the way of the other process
        ProcessPoolExecutor(min(len(tasks), os.cpu_count() or 1), spawn, cv2.setNumThreads, (1,)) as pool,
    ):
        for split in pool.map(_make, tasks):
            made.append(split)
            progress.update(len(split.labels))
    return join(*made)


Maker = Callable[[Split, np.random.Generator], np.ndarray]
"""From labels, and the images it may make them of, to new images uint8 [N, H, W, C]."""


def _tasks(amounts: Amounts, dataset: Dataset, seed: int) -> Iterator[tuple[Maker, Split, tuple[int, ...]]]:
    """Each a maker, what it starts from, and its seed."""
    train, none = dataset.train, len(dataset.spec.class_names)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, none, amounts.drawn)
    chosen = rng.permutation(len(train.labels))[: amounts.restyled]
    mixed = rng.integers(0, len(train.labels), amounts.outlier_photos)
    sources: tuple[tuple[Maker, Split], ...] = (
        (draw_digits, Split(train.images[:0], labels)),
        (restyle, Split(train.images[chosen], train.labels[chosen])),
        (draw_non_digits, Split(train.images[: amounts.non_digits], np.full(amounts.non_digits, none))),
        (draw_outlier_photos, Split(train.images[mixed], np.full(amounts.outlier_photos, none))),
        (draw_ambiguous, Split(train.images[:0], np.full(amounts.ambiguous, dataset.spec.outputs))),
    )
    for number, (maker, source) in enumerate(sources):
        for start in range(0, len(source.labels), CHUNK):
            part = slice(start, start + CHUNK)
            yield maker, Split(source.images[part], source.labels[part]), (seed, number, start)


def _make(task: tuple[Maker, Split, tuple[int, ...]]) -> Split:
    maker, source, seed = task
    return Split(maker(source, np.random.default_rng(seed)), source.labels)
