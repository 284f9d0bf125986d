"""Compare the answers of the last day with the reference of the model, to notice drift."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.data.specs import SPECS
from experiments.inference import drift_reference
from experiments.inference.drift_reference import Reference
from model_loader import Classifier
from serving.storage.records import AnswerFilter, Entry

if TYPE_CHECKING:
    from serving.storage.history import History

DAY = 86_400.0  # s
MAX_ANSWERS = 2_000  # the newest of the day
MIN_ANSWERS = 100
SIGNIFICANCE = 0.001
# A difference must be large too, since among many answers the smallest is significant. The generated drawings of the
# held-out evaluation are 0.18 from MNIST's own images in stroke width.
MIN_SHIFT = 0.25  # Kolmogorov and Smirnov's D, largest difference of two cumulative shares
MIN_IMBALANCE = 0.3  # Cohen's w, by convention a medium effect


@dataclass(frozen=True)
class Finding:
    """One comparison: the test's name, effect and p value, and the difference in words."""

    measure: str
    test: str
    effect: float
    p: float
    drifted: bool
    words: str


def drift_of_last_day(history: "History", classifier: Classifier) -> tuple[list[Finding], str]:
    """Compare the newest answers of the last day with the model's reference; return the findings and a sentence."""
    dataset, reference = classifier.bundle.dataset, drift_reference.read(classifier.bundle)
    if reference is None:
        return [], "This version of the model came without a reference to compare with."
    newest = history.search(AnswerFilter(dataset=dataset, since=time.time() - DAY), MAX_ANSWERS)
    entries = [entry for entry in newest if entry.image and entry.label]
    if len(entries) < MIN_ANSWERS:
        return [], f"Only {len(entries)} answers in the last day: a comparison needs {MIN_ANSWERS}."
    findings = compare(reference, entries, SPECS[dataset].image_shape, SPECS[dataset].class_names)
    drifted = [finding.words for finding in findings if finding.drifted]
    about = f"the newest {len(entries):,} answers of the last day"
    if not drifted:
        return findings, f"No drift: {about} look like the model's test data."
    return findings, f"Drift in {about}: {'; '.join(drifted)}. Check them in the history, and correct wrong ones."


def compare(
    reference: Reference, entries: Sequence[Entry], shape: tuple[int, int, int], class_names: Sequence[str]
) -> list[Finding]:
    """Return one finding a measure, labels first. entries: answers with a label and an image."""
    images = np.frombuffer(b"".join(entry.image or b"" for entry in entries), np.uint8).reshape(-1, *shape)
    values = drift_reference.image_statistics(images)
    values["confidence"] = np.array([entry.confidence for entry in entries])
    counts = np.array([sum(entry.label == name for entry in entries) for name in class_names])
    samples = reference.looks.items()
    shifts = [_shift(name, values[name], np.array(sample)) for name, sample in samples if name in values]
    return [_labels(counts, np.array(reference.labels), class_names), *shifts]


def _labels(counts: np.ndarray, reference: np.ndarray, class_names: Sequence[str]) -> Finding:
    """Pearson's chi-square test of how often each class is answered. counts, reference: int [K]."""
    from scipy import stats  # takes half a second to import

    expected = (reference + 1) / (reference + 1).sum() * counts.sum()
    statistic, p = stats.chisquare(counts, expected)
    effect = float(np.sqrt(statistic / counts.sum()))
    most = int(np.argmax((counts - expected) / np.sqrt(expected)))
    share, usual = counts[most] / counts.sum(), expected[most] / counts.sum()
    words = f"{class_names[most]} is {share:.0%} of the answers, where it was {usual:.0%}"
    return Finding("labels", "chi-square", effect, float(p), bool(p < SIGNIFICANCE and effect > MIN_IMBALANCE), words)


def _shift(name: str, values: np.ndarray, reference: np.ndarray) -> Finding:
    """Kolmogorov and Smirnov's test of one measure. values: float [N]; reference: float [M]."""
    from scipy import stats

    test = stats.ks_2samp(np.round(values, 5), reference)
    effect, p = float(test.statistic), float(test.pvalue)
    now, then = np.median(values), np.median(reference)
    words = f"{name} is {'higher' if now > then else 'lower'}, {now:.3g} where it was {then:.3g} (medians)"
    return Finding(name, "Kolmogorov-Smirnov", effect, p, bool(p < SIGNIFICANCE and effect > MIN_SHIFT), words)
