"""What the figures of a data set mean, in sentences that are computed from them."""

from collections.abc import Sequence

import numpy as np

from experiments.insights.figures import Insights

ENOUGH = 30  # answers that can be compared with training


def distribution(insights: Insights) -> str:
    """How even the classes are, in the splits and, where it is among the counts, in `traffic`: what people send."""
    train = np.array(insights.counts["train"])
    low, high = int(train.argmin()), int(train.argmax())
    ratio = train[high] / max(train[low], 1)
    even = "so no class is favoured by its numbers" if ratio < 1.5 else "so rare classes count for less in training"
    shares = {name: np.array(counts) / max(sum(counts), 1) for name, counts in insights.counts.items()}
    apart = max(np.abs(shares[name] - shares["train"]).max() for name in ("validation", "test"))
    names = insights.class_names
    rare = f"from {train[low]:,} ({names[low]}) to {train[high]:,} ({names[high]})"
    split = f"Validation ({sum(insights.counts['validation']):,}) and test ({sum(insights.counts['test']):,})"
    people = _traffic(insights.class_names, shares["train"], insights.counts.get("traffic"))
    same = f"the same shares to within {100 * apart:.1f} points" if apart > 0.0005 else "exactly the same shares"
    return (
        f"The {train.sum():,} training images are spread {rare if ratio > 1 else 'evenly'} a class, {even}. "
        f"{split} have {same}.{people}"
    )


def averages(insights: Insights) -> str:
    """Which classes vary most, and which look alike."""
    names, variation = insights.class_names, np.array(insights.variation)
    likeness = np.array(insights.likeness) - 2 * np.eye(len(names))
    one, other = sorted(np.unravel_index(likeness.argmax(), likeness.shape))
    worst = _confused(insights)
    most, least = int(variation.argmax()), int(variation.argmin())
    same = worst is not None and {one, other} == {worst[0], worst[1]}
    tail = "the model confuses no pair more often" if same else "yet the model confuses another pair more often"
    if worst is None:
        tail = "yet the model confuses no pair at all"
    return (
        f"Images of {names[most]} differ most from one another, by {variation[most]:.0f} of 255 levels a pixel, those "
        f"of {names[least]} least ({variation[least]:.0f}). On average {names[one]} and {names[other]} look most alike "
        f"(correlation {likeness[one, other]:.2f}); {tail}."
    )


def pixels(insights: Insights) -> str:
    """How bright pixels are, or of what colour."""
    if len(insights.channels) == 1:
        shares = next(iter(insights.channels.values()))
        middle = 1 - shares[0] - shares[-1]
        kind = "nearly line drawings" if middle < 0.3 else "full of halftones"
        return (
            f"{100 * shares[0]:.0f} % of all pixels are nearly black and {100 * shares[-1]:.0f} % nearly white; "
            f"{100 * middle:.0f} % lie between. The images are {kind}."
        )
    means = {name: _mean_level(shares) for name, shares in insights.channels.items()}
    ranked = sorted(means, key=lambda name: -means[name])
    spread = means[ranked[0]] - means[ranked[-1]]
    clipped = max(shares[-1] for shares in insights.channels.values())
    tint = "hardly tinted" if spread < 5 else f"tinted towards {ranked[0]}"
    return (
        f"On average {ranked[0]} is brightest ({means[ranked[0]]:.0f} of 255) and {ranked[-1]} darkest "
        f"({means[ranked[-1]]:.0f}): the pictures are {tint}. Up to {100 * clipped:.0f} % of a channel's pixels are in "
        f"the brightest step, mostly white backgrounds."
    )


def _traffic(names: Sequence[str], train: np.ndarray, traffic: Sequence[int] | None) -> str:
    if traffic is None:
        return ""
    counts = np.array(traffic)
    if counts.sum() < ENOUGH:
        return f" Answers kept here: {counts.sum()}, too few to compare them with."
    apart = counts / counts.sum() - train
    most = int(np.abs(apart).argmax())
    return (
        f" Of {counts.sum():,} answers kept here {100 * counts[most] / counts.sum():.0f} % are {names[most]}, "
        f"{100 * abs(apart[most]):.0f} points {'more' if apart[most] > 0 else 'less'} than in training."
    )


def _confused(insights: Insights) -> tuple[int, int] | None:
    """The pair of classes confused most often, either way; None without a mistake."""
    both = insights.matrix + insights.matrix.T
    np.fill_diagonal(both, 0)
    one, other = sorted(np.unravel_index(both.argmax(), both.shape))
    return (int(one), int(other)) if both.any() else None


def _mean_level(shares: Sequence[float]) -> float:
    step = 256 / len(shares)
    return float(np.dot(shares, (np.arange(len(shares)) + 0.5) * step))
