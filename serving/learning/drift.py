"""Whether what people send still looks like what the model was made for: the last day against its reference."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.data.specs import SPECS
from experiments.inference import drift_reference
from experiments.inference.drift_reference import Reference
from serving.storage.records import AnswerFilter, Entry

if TYPE_CHECKING:
    from model_loader import Classifier
    from serving.storage.history import History

DAY = 86_400.0  # s
NEWEST = 2_000  # answers of it
FEWEST = 100  # answers that say anything
CHANCE = 0.001  # below this probability a difference is no accident
# How large a difference must be too, since among many answers the smallest is no accident. Drawings made at random for
# the model's examination are 0.18 from MNIST's own images in stroke width.
SHIFT = 0.25  # Kolmogorov and Smirnov's D, largest difference of two cumulative shares
IMBALANCE = 0.3  # Cohen's w, by convention a medium effect


@dataclass(frozen=True)
class Finding:
    """One comparison: the test's name, effect and p value, and what differs, in words."""

    measure: str
    test: str
    effect: float
    p: float
    drifted: bool
    words: str


def drift_of_last_day(history: "History", classifier: "Classifier") -> tuple[list[Finding], str]:
    """What each measure shows of the newest answers of the last day, and the verdict in words."""
    dataset, known = classifier.bundle.dataset, drift_reference.read(classifier.bundle)
    if known is None:
        return [], "This version of the model came without a reference, so nothing is known of drift."
    since = time.time() - DAY
    newest = history.search(AnswerFilter(dataset=dataset, since=since), NEWEST)
    entries = [each for each in newest if each.image and each.label]
    if len(entries) < FEWEST:
        return [], f"Only {len(entries)} answers in the last day: from {FEWEST} on they are compared."
    findings = compare(known, entries, SPECS[dataset].image_shape, SPECS[dataset].class_names)
    drifted = [finding.words for finding in findings if finding.drifted]
    about = f"the newest {len(entries):,} answers of the last day"
    if not drifted:
        return findings, f"No drift: {about} look like what the model was made for."
    return findings, f"Drift in {about}: {'; '.join(drifted)}. Look at them in the history, and correct what is wrong."


def compare(
    known: Reference, entries: Sequence[Entry], shape: tuple[int, int, int], class_names: Sequence[str]
) -> list[Finding]:
    """entries: answers that name a label, with their images. One finding a measure, labels first."""
    images = np.frombuffer(b"".join(each.image or b"" for each in entries), np.uint8).reshape(-1, *shape)
    values = {"confidence": np.array([each.confidence for each in entries]), **drift_reference.image_statistics(images)}
    counts = np.array([sum(each.label == name for each in entries) for name in class_names])
    shifts = [_shift(name, values[name], np.array(sample)) for name, sample in known.looks.items() if name in values]
    return [_labels(counts, np.array(known.labels), class_names), *shifts]


def _labels(counts: np.ndarray, known: np.ndarray, class_names: Sequence[str]) -> Finding:
    """Pearson's chi-square test of how often each class is answered. counts, known: int [K]."""
    from scipy import stats

    expected = (known + 1) / (known + 1).sum() * counts.sum()
    statistic, p = stats.chisquare(counts, expected)
    effect = float(np.sqrt(statistic / counts.sum()))
    most = int(np.argmax((counts - expected) / np.sqrt(expected)))
    share, usual = counts[most] / counts.sum(), expected[most] / counts.sum()
    words = f"{class_names[most]} is {share:.0%} of the answers, where it was {usual:.0%}"
    return Finding("labels", "chi-square", effect, float(p), bool(p < CHANCE and effect > IMBALANCE), words)


def _shift(name: str, values: np.ndarray, known: np.ndarray) -> Finding:
    """Kolmogorov and Smirnov's test of one measure. values: float [N]; known: float [M], the reference."""
    from scipy import stats

    found = stats.ks_2samp(np.round(values, 5), known)
    effect, p = float(found.statistic), float(found.pvalue)
    higher = "higher" if np.median(values) > np.median(known) else "lower"
    words = f"{name} is {higher}, {np.median(values):.3g} where it was {np.median(known):.3g} (medians)"
    return Finding(name, "Kolmogorov-Smirnov", effect, p, bool(p < CHANCE and effect > SHIFT), words)
