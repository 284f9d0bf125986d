"""Training batches and targets."""

import keras
import numpy as np

from experiments.data.datasets import Dataset, join
from experiments.data.specs import DatasetSpec, Split
from experiments.training.config import RunConfig


def one_hot(labels: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    """One-hot targets float32 [N, spec.outputs] of labels int64 [N]; label spec.outputs gets equal probabilities."""
    undecided = np.full((1, spec.outputs), 1 / spec.outputs, np.float32)
    targets: np.ndarray = np.concatenate([np.eye(spec.outputs, dtype=np.float32), undecided])[labels]
    return targets


class AugmentedBatches(keras.utils.PyDataset):  # type: ignore[misc] # Keras ships no types
    """The training images and a random share of the extra ones, shuffled and augmented anew for each epoch."""

    def __init__(self, dataset: Dataset, extra: Split, config: RunConfig, finished_epochs: int = 0) -> None:
        super().__init__(workers=2, max_queue_size=16)
        pool = join(dataset.train, extra)
        self._images, self._targets = pool.images, one_hot(pool.labels, dataset.spec)
        self._own_count, self._extra_count = len(dataset.train.labels), round(config.extra_share * len(extra.labels))
        self._config = config
        self._epoch = finished_epochs - 1
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._order) // self._config.batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        batch = self._order[index * self._config.batch_size :][: self._config.batch_size]
        rng = np.random.default_rng((self._config.seed, self._epoch, index))  # the same in every worker
        return self._config.augment(self._images[batch], rng), self._targets[batch]

    def on_epoch_end(self) -> None:
        """Select extra images and shuffle for the next epoch."""
        self._epoch += 1
        rng = np.random.default_rng((self._config.seed, self._epoch))
        extra = self._own_count + rng.permutation(len(self._images) - self._own_count)[: self._extra_count]
        self._order = rng.permutation(np.concatenate([np.arange(self._own_count), extra]))
