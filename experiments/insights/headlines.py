"""The one thing that each figure says, as its title."""

import numpy as np

from experiments.insights.figures import Insights

EVEN = 1.5  # times as many images in the largest class as in the smallest
FAITHFUL = 0.02  # calibration error up to which a confidence means what it says
BETWEEN = 0.3  # share of pixels neither dark nor bright, below which an image is a line drawing


def distribution(insights: Insights) -> str:
    """Whether the classes are even."""
    train = np.array(insights.counts["train"])
    if train.max() < EVEN * max(train.min(), 1):
        return "The classes are about as frequent as one another"
    return f"{insights.class_names[int(train.argmin())].capitalize()} is the rarest class"


def averages(insights: Insights) -> str:
    """The class that varies most."""
    return f"Images of {insights.class_names[int(np.argmax(insights.variation))]} vary most"


def pixels(insights: Insights) -> str:
    """Whether pixels are dark or bright, or anything between."""
    shares = np.mean(list(insights.channels.values()), axis=0)
    between = 1 - shares[0] - shares[-1]
    return "Pixels are dark or bright, seldom between" if between < BETWEEN else "Pixels have every brightness"


def confusion(insights: Insights) -> str:
    """The commonest mistake."""
    if not insights.mistakes.any():
        return "No image of the test set is mistaken"
    return "{} taken for {} is the commonest mistake".format(*insights.commonest_mistake()).capitalize()


def per_class(insights: Insights) -> str:
    """The hardest class."""
    return f"{insights.class_names[int(insights.scores()[2].argmin())].capitalize()} is the hardest class"


def roc(insights: Insights) -> str:
    """How well the classes are told apart."""
    return f"Each class is told from the rest, by an area of {min(curve.area for curve in insights.roc):.4f} at least"


def reliability(insights: Insights) -> str:
    """Whether a confidence means what it says."""
    means = "means" if insights.calibration_error < FAITHFUL else "does not quite mean"
    return f"A confidence {means} what it says"


def confidence(insights: Insights) -> str:
    """How many right answers are confident ones."""
    share = insights.right[-1] / max(sum(insights.right), 1)
    return f"{100 * share:.1f} % of the right answers are more than 95 % confident"


def drawings(insights: Insights) -> str:
    """How many drawings are read right."""
    groups = next(iter(insights.drawings.values()), ())
    count = sum(group.count for group in groups)
    if not count:
        return "Drawings"
    right = sum(group.accuracy * group.count for group in groups) / count
    return f"{100 * right:.1f} % of generated drawings are read right"


def refusal(insights: Insights) -> str:
    """How many non-digits are rejected, and at what price."""
    if insights.refusal is None:
        return "What is rejected"
    digits, non_digits = insights.refusal.at_threshold()
    return f"{100 * non_digits:.0f} % of non-digits are rejected, and {100 * digits:.1f} % of digits"


def curves(insights: Insights) -> str:
    """When validation was best."""
    if not insights.curves:
        return "Training"
    best = max(insights.curves, key=lambda epoch: epoch.val_accuracy)
    return f"Validation was best after epoch {best.epoch} of {insights.curves[-1].epoch}"


def embedding(insights: Insights) -> str:
    """What the map shows."""
    return f"{len(insights.points):,} test images, the nearer the more alike to the model"
