"""The runs on CIFAR-10."""

from dataclasses import replace

from experiments.data.synthesis.generate import Amounts
from experiments.runs.search import Search
from experiments.training.architectures import baseline, narrow_residual, residual
from experiments.training.augmentation import flip_shift_cut, unchanged
from experiments.training.config import architecture_run, baseline_run, hyperparameters_run

FEW = Amounts(outlier_photos=4_000)

TABLE = (
    baseline_run(build=baseline, augment=flip_shift_cut, epochs=6, learning_rate=1e-3, batch_size=128, extra=FEW),
    architecture_run(build=residual, augment=flip_shift_cut, epochs=4, learning_rate=1e-3, batch_size=128, extra=FEW),
    hyperparameters_run(
        build=residual,
        augment=flip_shift_cut,
        epochs=10,
        learning_rate=0.2,
        batch_size=256,
        schedule="cosine",
        momentum=0.9,
        weight_decay=5e-3,
        label_smoothing=0.1,
        mirrored=True,
        extra=FEW,
    ),
)
BEST = replace(
    TABLE[2],
    name="best",
    reason="Recognise photos as well as five milliseconds of LiteRT on one core allow.",
    epochs=32,
    extra=Amounts(outlier_photos=10_000),
)
"""Makes the shipped model."""

RECIPES = (BEST,)

SEARCH = Search(row=TABLE[2], builds=(narrow_residual, residual), augments=(unchanged, flip_shift_cut))
"""What `python -m experiments sweep` searches. Outlier photos stay as they are: accuracy on photos would do without."""
