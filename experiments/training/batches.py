"""What a network is fed with."""

import keras
import numpy as np

from experiments.data.datasets import Dataset, join
from experiments.data.specs import DatasetSpec, Split
from experiments.training.config import RunConfig


def one_hot(labels: np.ndarray, spec: DatasetSpec) -> np.ndarray:
    """labels: int64 [N]. Returns float32 [N, outputs of the data set's models]; none of the classes is an output of its
    own, or where there is no such output each class as much as any other."""
    undecided = np.full((1, spec.outputs), 1 / spec.outputs, np.float32)
    return np.concatenate([np.eye(spec.outputs, dtype=np.float32), undecided])[labels]


class AugmentedBatches(keras.utils.PyDataset):
    """The training images and a share of the extra ones, chosen anew, in a new order and shape each epoch."""

    def __init__(self, dataset: Dataset, extra: Split, config: RunConfig) -> None:
        super().__init__(workers=2, max_queue_size=16)
        everything = join(dataset.train, extra)
        self._images, self._targets = everything.images, one_hot(everything.labels, dataset.spec)
        self._own, self._extra = len(dataset.train.labels), round(config.extra_share * len(extra.labels))
        self._config = config
        self._epoch = -1
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._order) // self._config.batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self._order[index * self._config.batch_size :][: self._config.batch_size]
        rng = np.random.default_rng((self._config.seed, self._epoch, index))  # whichever worker makes it
        return self._config.augment(self._images[chosen], rng), self._targets[chosen]

    def on_epoch_end(self) -> None:
        """Chooses and shuffles for the next epoch."""
        self._epoch += 1
        rng = np.random.default_rng((self._config.seed, self._epoch))
        extra = self._own + rng.permutation(len(self._images) - self._own)[: self._extra]
        self._order = rng.permutation(np.concatenate([np.arange(self._own), extra]))
