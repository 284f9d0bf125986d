"""Synthesise extra training images: drawn and restyled digits, non-digits, outlier photos and ambiguous drawings."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass

import cv2
import numpy as np
from tqdm import tqdm

from experiments.data.datasets import Dataset, join
from experiments.data.specs import Split
from experiments.data.synthesis.digits import draw_ambiguous, draw_digits
from experiments.data.synthesis.non_digits import draw_non_digits
from experiments.data.synthesis.outlier_photos import draw_outlier_photos
from experiments.data.synthesis.restyling import restyle

CHUNK = 1_000  # images per task
SINGLE_PROCESS = 4_000  # up to so many images are made faster than processes start


@dataclass(frozen=True)
class Amounts:
    """How many images of each kind."""

    drawn: int = 0  # digits from the project's own stroke templates
    restyled: int = 0  # training images in another style, each at most once
    non_digits: int = 0  # labelled with the number of classes
    outlier_photos: int = 0  # photos of none of the classes, labelled likewise
    ambiguous: int = 0  # could be several digits: labelled with the number of outputs, which trains all classes equally


Maker = Callable[[Split, np.random.Generator], np.ndarray]
"""Makes an image for each label of a split, uint8 [N, H, W, C], some kinds from the split's images."""
Task = tuple[Maker, Split, tuple[int, ...]]
"""A maker, its split, and its seed."""


def synthesise(amounts: Amounts, dataset: Dataset, seed: int) -> Split:
    """Make images uint8 [N, H, W, C] and their labels on all cores; the same arguments give the same images."""
    tasks = list(_tasks(amounts, dataset, seed))
    if not tasks:
        return Split(dataset.train.images[:0], dataset.train.labels[:0])
    total = sum(astuple(amounts))
    if total <= SINGLE_PROCESS:
        return join(*map(_make, tasks))
    spawn = multiprocessing.get_context("spawn")  # a fork of TensorFlow's threads may hang
    splits = []
    with (
        tqdm(total=total, unit="image", desc="Drawing", mininterval=0.5) as progress,
        ProcessPoolExecutor(min(len(tasks), os.cpu_count() or 1), spawn, begin_process) as pool,
    ):
        for split in pool.map(_make, tasks):
            splits.append(split)
            progress.update(len(split.labels))
    return join(*splits)


def _tasks(amounts: Amounts, dataset: Dataset, seed: int) -> Iterator[Task]:
    train, classes = dataset.train, len(dataset.spec.class_names)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, amounts.drawn)
    restyled = rng.permutation(len(train.labels))[: amounts.restyled]
    photos = rng.integers(0, len(train.labels), amounts.outlier_photos)
    sources: tuple[tuple[Maker, Split], ...] = (
        (draw_digits, Split(train.images[:0], labels)),
        (restyle, Split(train.images[restyled], train.labels[restyled])),
        (draw_non_digits, Split(train.images[: amounts.non_digits], np.full(amounts.non_digits, classes))),
        (draw_outlier_photos, Split(train.images[photos], np.full(amounts.outlier_photos, classes))),
        (draw_ambiguous, Split(train.images[:0], np.full(amounts.ambiguous, dataset.spec.outputs))),
    )
    for number, (maker, source) in enumerate(sources):
        for start in range(0, len(source.labels), CHUNK):
            chunk = slice(start, start + CHUNK)
            yield maker, Split(source.images[chunk], source.labels[chunk]), (seed, number, start)


def begin_process() -> None:
    """Prepare a process of the pool, which waits for tasks forever where the one that started it was killed."""
    cv2.setNumThreads(1)  # more would only compete with the other processes
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _make(task: Task) -> Split:
    maker, source, seed = task
    return Split(maker(source, np.random.default_rng(seed)), source.labels)
