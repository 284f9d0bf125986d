"""Sentences that interpret the figures of a data set."""

from collections.abc import Sequence

import numpy as np

from experiments.insights.figures import Insights

ENOUGH = 30  # recorded answers that can be compared with training


def distribution(insights: Insights) -> str:
    """How even the classes are in the splits and, where `counts` has it, in the traffic."""
    counts, names = insights.counts, insights.class_names
    train = np.array(counts["train"])
    low, high = int(train.argmin()), int(train.argmax())
    ratio = train[high] / max(train[low], 1)
    spread = "are spread evenly over the classes"
    if ratio > 1:
        spread = f"range from {train[low]:,} ({names[low]}) to {train[high]:,} ({names[high]}) per class"
    effect = "so no class dominates" if ratio < 1.5 else "so rare classes count for less in training"
    shares = {name: np.array(split) / max(sum(split), 1) for name, split in counts.items()}
    difference = max(np.abs(shares[name] - shares["train"]).max() for name in ("validation", "test"))
    same = "exactly the same class shares"
    if difference > 0.0005:
        same = f"the same class shares to within {100 * difference:.1f} points"
    return (
        f"The {train.sum():,} training images {spread}, {effect}. "
        f"Validation ({sum(counts['validation']):,}) and test ({sum(counts['test']):,}) have {same}."
        f"{_traffic(names, shares['train'], counts.get('traffic'))}"
    )


def averages(insights: Insights) -> str:
    """Which classes vary most, and which look alike."""
    names, variation = insights.class_names, np.array(insights.variation)
    most, least = int(variation.argmax()), int(variation.argmin())
    likeness = np.array(insights.likeness) - 2 * np.eye(len(names))
    one, other = sorted(np.unravel_index(likeness.argmax(), likeness.shape))
    confused = insights.mistakes + insights.mistakes.T
    if not confused.any():
        comparison = "but the model confuses no pair at all"
    elif sorted(np.unravel_index(confused.argmax(), confused.shape)) == [one, other]:
        comparison = "and the model confuses no pair more often"
    else:
        comparison = "but the model confuses another pair more often"
    return (
        f"Images of {names[most]} vary most, by {variation[most]:.0f} of 255 levels per pixel, those of {names[least]} "
        f"least ({variation[least]:.0f}). The average images of {names[one]} and {names[other]} are most alike "
        f"(correlation {likeness[one, other]:.2f}), {comparison}."
    )


def pixels(insights: Insights) -> str:
    """How bright pixels are, or of what colour."""
    if len(insights.channels) == 1:
        shares = next(iter(insights.channels.values()))
        middle = 1 - shares[0] - shares[-1]
        kind = "almost line drawings" if middle < 0.3 else "full of halftones"
        return (
            f"{100 * shares[0]:.0f} % of all pixels are nearly black, {100 * shares[-1]:.0f} % nearly white and "
            f"{100 * middle:.0f} % in between: the images are {kind}."
        )
    means = {name: _mean_level(shares) for name, shares in insights.channels.items()}
    brightest, darkest = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    tint = "hardly tinted" if means[brightest] - means[darkest] < 5 else f"tinted towards {brightest}"
    clipped = max(shares[-1] for shares in insights.channels.values())
    return (
        f"On average {brightest} is the brightest channel ({means[brightest]:.0f} of 255) and {darkest} the darkest "
        f"({means[darkest]:.0f}): the images are {tint}. Up to {100 * clipped:.0f} % of a channel's pixels are in the "
        "brightest step, mostly white backgrounds."
    )


def _traffic(names: Sequence[str], train: np.ndarray, traffic: Sequence[int] | None) -> str:
    """train: float [K], the shares of the classes in training."""
    if traffic is None:
        return ""
    total = sum(traffic)
    if total < ENOUGH:
        return f" Answers recorded here: {total}, too few to compare."
    shares = np.array(traffic) / total
    k = int(np.abs(shares - train).argmax())
    more = "more" if shares[k] > train[k] else "less"
    return (
        f" Of {total:,} answers recorded here, {100 * shares[k]:.0f} % are {names[k]}, "
        f"{100 * abs(shares[k] - train[k]):.0f} points {more} than in training."
    )


def _mean_level(shares: Sequence[float]) -> float:
    step = 256 / len(shares)
    return float(np.dot(shares, (np.arange(len(shares)) + 0.5) * step))
