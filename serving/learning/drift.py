"""Compare the answers of the last day with the reference of the model, to notice drift."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from experiments.data.specs import SPECS
from experiments.inference import drift_reference
from experiments.inference.drift_reference import Reference
from model_loader import Classifier
from serving.storage.digits import digits_of
from serving.storage.records import AnswerFilter, Entry

if TYPE_CHECKING:
    from serving.storage.history import History

DAY = 86_400.0  # s
MAX_ANSWERS = 2_000  # the newest of the day; a number counts for each of its digits
MIN_ANSWERS = 100
SIGNIFICANCE = 0.001
# A difference must be large too, since among many answers the smallest is significant. The generated drawings of the
# held-out evaluation are 0.18 from MNIST's own images in stroke width.
MIN_SHIFT = 0.25  # Kolmogorov and Smirnov's D, largest difference of two cumulative shares
MIN_IMBALANCE = 0.3  # Cohen's w, by convention a medium effect
CHI_SQUARE = "chi-square"


@dataclass(frozen=True, eq=False)
class Answered:
    """What is compared of an answer; confidence: None of a digit of a number."""

    label: str
    image: bytes  # uint8 [H, W, C]
    confidence: float | None


@dataclass(frozen=True)
class Finding:
    """One comparison: the test's name, effect and p value, and the difference in words."""

    measure: str
    test: str
    effect: float
    p: float
    drifted: bool
    words: str

    @property
    def least(self) -> float:
        """The effect from which on a difference counts as drift."""
        return MIN_IMBALANCE if self.test == CHI_SQUARE else MIN_SHIFT


def drift_of_last_day(history: "History", classifier: Classifier) -> tuple[list[Finding], str]:
    """Compare the newest answers of the last day with the model's reference; return the findings and a sentence."""
    dataset, reference = classifier.bundle.dataset, drift_reference.read(classifier.bundle)
    if reference is None:
        return [], "This version of the model came without a reference to compare with."
    spec = SPECS[dataset]
    answers = _newest(history, AnswerFilter(dataset=dataset, since=time.time() - DAY), spec.image_shape)
    if len(answers) < MIN_ANSWERS:
        return [], f"Only {len(answers)} answers in the last day: a comparison needs {MIN_ANSWERS}."
    findings = compare(reference, answers, spec.image_shape, spec.class_names)
    drifted = [finding.words for finding in findings if finding.drifted]
    about = f"the newest {len(answers):,} answers of the last day"
    if not drifted:
        return findings, f"No drift: {about} look like the model's test data."
    return findings, f"Drift in {about}: {'; '.join(drifted)}. Check them in the history, and correct wrong ones."


def compare(
    reference: Reference, answers: Sequence[Answered], shape: tuple[int, int, int], class_names: Sequence[str]
) -> list[Finding]:
    """Return one finding a measure, labels first. Confidences are compared of answers that are no numbers."""
    images = np.frombuffer(b"".join(answer.image for answer in answers), np.uint8).reshape(-1, *shape)
    values = drift_reference.image_statistics(images)
    confidences = [answer.confidence for answer in answers if answer.confidence is not None]
    if confidences:
        values["confidence"] = np.array(confidences)
    counts = np.array([sum(answer.label == name for answer in answers) for name in class_names])
    samples = reference.looks.items()
    shifts = [_shift(name, values[name], np.array(sample)) for name, sample in samples if name in values]
    return [_labels(counts, np.array(reference.labels), class_names), *shifts]


def answered_in(entry: Entry, shape: tuple[int, int, int]) -> list[Answered]:
    """The labelled image of an answer; of a number those of its digits, whose own confidences are not kept."""
    if not (entry.image and entry.label):
        return []
    digits = digits_of(entry.label, entry.image, shape)
    confidence = entry.confidence if len(digits) == 1 else None
    return [Answered(label, image, confidence) for label, image in digits if label]


def _newest(history: "History", where: AnswerFilter, shape: tuple[int, int, int]) -> list[Answered]:
    labelled = (answer for entry in history.iterate(where) for answer in answered_in(entry, shape))
    return list(islice(labelled, MAX_ANSWERS))


def _labels(counts: np.ndarray, reference: np.ndarray, class_names: Sequence[str]) -> Finding:
    """Pearson's chi-square test of how often each class is answered. counts, reference: int [K]."""
    from scipy import stats  # takes half a second to import

    expected = (reference + 1) / (reference + 1).sum() * counts.sum()
    statistic, p = stats.chisquare(counts, expected)
    effect = float(np.sqrt(statistic / counts.sum()))
    most = int(np.argmax((counts - expected) / np.sqrt(expected)))
    share, usual = counts[most] / counts.sum(), expected[most] / counts.sum()
    words = f"{class_names[most]} is {share:.0%} of the answers, where it was {usual:.0%}"
    return Finding("labels", CHI_SQUARE, effect, float(p), bool(p < SIGNIFICANCE and effect > MIN_IMBALANCE), words)


def _shift(name: str, values: np.ndarray, reference: np.ndarray) -> Finding:
    """Kolmogorov and Smirnov's test of one measure. values: float [N]; reference: float [M]."""
    from scipy import stats

    test = stats.ks_2samp(np.round(values, 5), reference)
    effect, p = float(test.statistic), float(test.pvalue)
    now, then = np.median(values), np.median(reference)
    words = f"{name} is {'higher' if now > then else 'lower'}, {now:.3g} where it was {then:.3g} (medians)"
    return Finding(name, "Kolmogorov-Smirnov", effect, p, bool(p < SIGNIFICANCE and effect > MIN_SHIFT), words)
