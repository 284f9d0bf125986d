"""The runs on CIFAR-10."""

from experiments.architectures import baseline, residual
from experiments.augmentation import flip_shift_cut
from experiments.runs import RunConfig

TABLE = (
    RunConfig(
        name="baseline",
        reason="Establish a baseline for comparison.",
        build=baseline,
        augment=flip_shift_cut,
        epochs=6,
        learning_rate=1e-3,
        batch_size=128,
    ),
    RunConfig(
        name="architecture",
        reason="Verify whether a more complex model learns better.",
        build=residual,
        augment=flip_shift_cut,
        epochs=4,
        learning_rate=1e-3,
        batch_size=128,
    ),
    RunConfig(
        name="hyperparameters",
        reason="Optimise the speed of convergence.",
        build=residual,
        augment=flip_shift_cut,
        epochs=8,
        learning_rate=3e-3,
        batch_size=256,
        schedule="cosine",
        weight_decay=5e-2,
        label_smoothing=0.1,
        weight_average=0.998,
    ),
)
RECIPES = ()
"""They make the shipped model."""
