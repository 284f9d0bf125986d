"""Evaluate a model's probabilities for one split by nine metrics."""

from dataclasses import asdict, dataclass

import numpy as np

BINS = 15  # of confidence
KEPT = 0.95  # share of the digits that are not rejected where the false positive rate is measured


@dataclass(frozen=True)
class Report:
    """The nine metrics and the calibration error. Precision, recall, F1 and ROC-AUC are macro averages; log loss is in
    nats."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    roc_auc: float
    top2_accuracy: float
    log_loss: float
    calibration_error: float
    confusion: np.ndarray  # int64 [K, K]: true class by predicted class
    per_class: dict[str, dict[str, float]]  # precision, recall and f1 of each class against the rest

    def scalars(self) -> dict[str, float]:
        """All scalar metrics by name; those of a class as `precision_7`."""
        summary = {k: v for k, v in asdict(self).items() if isinstance(v, float)}
        for name, scores in self.per_class.items():
            summary |= {f"{metric}_{name}": value for metric, value in scores.items()}
        return summary

    def as_json(self) -> dict[str, object]:
        """The whole report in plain types."""
        return asdict(self) | {"confusion": self.confusion.tolist()}


def evaluate(probabilities: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]) -> Report:
    """Evaluate probabilities float32 [N, >= K], of which the first K count, against labels int64 [N]. Raises ValueError
    if a class has no label."""
    from sklearn import metrics  # imports slowly

    classes = np.arange(len(class_names))
    probabilities = probabilities[:, : len(classes)].astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    return Report(
        accuracy=float((predicted == labels).mean()),
        precision=float(precision.mean()),
        recall=float(recall.mean()),
        f1=float(f1.mean()),
        roc_auc=float(metrics.roc_auc_score(labels, probabilities, multi_class="ovr", labels=classes)),
        top2_accuracy=float(metrics.top_k_accuracy_score(labels, probabilities, k=2, labels=classes)),
        log_loss=float(metrics.log_loss(labels, probabilities, labels=classes)),
        calibration_error=calibration_error(probabilities.max(axis=1), predicted == labels),
        confusion=metrics.confusion_matrix(labels, predicted, labels=classes),
        per_class={
            name: {"precision": float(precision[i]), "recall": float(recall[i]), "f1": float(f1[i])}
            for i, name in enumerate(class_names)
        },
    )


def reliability(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean confidence float [B], accuracy float [B] and count int64 [B] of the non-empty of BINS equal bins.

    confidence: float [N], 0 to 1; correct: bool [N].
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = np.array([np.bincount(bins, values, minlength=BINS) for values in (confidence, correct)])
    filled = counts > 0
    mean_confidence, accuracy = sums[:, filled] / counts[filled]
    return mean_confidence, accuracy, counts[filled]


def calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """The expected calibration error, 0 to 1, of confidence float [N] and correct bool [N]: the mean distance of
    confidence and accuracy over the bins."""
    mean_confidence, accuracy, counts = reliability(confidence, correct)
    return float((np.abs(mean_confidence - accuracy) * counts).sum() / max(counts.sum(), 1))


def separation(digits: np.ndarray, non_digits: np.ndarray) -> tuple[float, float]:
    """How well reject probabilities, float [N] and float [M], tell digits from non-digits: the area under the ROC
    curve, and the share of non-digits that are taken for digits where KEPT of the digits are (FPR at 95 % TPR)."""
    from sklearn.metrics import roc_auc_score

    non_digit = np.repeat([False, True], [len(digits), len(non_digits)])
    area = float(roc_auc_score(non_digit, np.concatenate([digits, non_digits])))
    return area, float((non_digits <= np.quantile(digits, KEPT)).mean())
