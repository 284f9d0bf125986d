"""The runs on MNIST."""

from dataclasses import replace
from functools import partial

from experiments.data.synthesis.generate import Amounts
from experiments.runs.search import Search
from experiments.training.architectures import baseline, deep, narrow, wide
from experiments.training.augmentation import unchanged, warp, warp_gently, warp_strongly
from experiments.training.config import PRODUCTION, architecture_run, baseline_run, hyperparameters_run

QUICK = Amounts(drawn=14_000, restyled=14_000, non_digits=8_000, ambiguous=400)
THOROUGH = Amounts(drawn=55_000, restyled=55_000, non_digits=30_000, ambiguous=1_500)

TABLE = (
    baseline_run(build=baseline, augment=warp, epochs=3, learning_rate=1e-3, batch_size=128, extra=QUICK),
    architecture_run(build=deep, augment=warp, epochs=2, learning_rate=1e-3, batch_size=128, extra=QUICK),
    hyperparameters_run(
        build=deep,
        augment=warp,
        epochs=7,
        learning_rate=2.5e-3,
        batch_size=256,
        schedule="cosine",
        weight_decay=1e-2,
        label_smoothing=0.05,
        weight_average=0.998,
        extra=QUICK,
    ),
)
BEST = replace(
    TABLE[2],
    name="best",
    reason="Read people's handwriting as well as a small network can: longer, with far more drawn digits.",
    build=wide,
    epochs=33,
    weight_average=0.999,
    extra=THOROUGH,
    extra_share=0.4,  # what remains is for MNIST's own writers
)
"""The run `hyperparameters`, wider and longer."""
FURTHER = replace(
    BEST,
    name="further",
    reason="Go on from the Production model with newly made images, more carefully, three times.",
    parent=PRODUCTION,
    parent_weight=0.1,  # the least with which nothing the gate looks at is lost
    epochs=10,
    trainings=3,
    learning_rate=1e-3,
    seed=1,
)
"""Makes the shipped model after `best`: the mean of three trainings reads drawings better than any of them."""

_ablation = partial(replace, TABLE[1])
ABLATIONS = (
    _ablation(name="without-warp", reason="See what bending each image anew brings.", augment=unchanged),
    _ablation(name="without-drawn", reason="See what the drawn digits bring.", extra=replace(QUICK, drawn=0)),
    _ablation(name="without-restyled", reason="See what other styles bring.", extra=replace(QUICK, restyled=0)),
    _ablation(name="without-negatives", reason="See what no digits bring.", extra=replace(QUICK, non_digits=0)),
)
"""The run `architecture`, each without one of what was added to MNIST."""

RECIPES = (BEST, FURTHER, *ABLATIONS)

SEARCH = Search(
    row=TABLE[2],
    builds=(narrow, deep, wide),
    augments=(unchanged, warp_gently, warp, warp_strongly),
    most=Amounts(drawn=28_000, restyled=28_000),  # non-digits stay as they are: accuracy on digits would do without
)
"""What `python -m experiments sweep` searches."""
