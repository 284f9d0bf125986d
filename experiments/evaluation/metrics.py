"""How good a model is: the nine metrics of one split, from its probabilities."""

from dataclasses import asdict, dataclass

import numpy as np

BINS = 15  # of confidence


@dataclass(frozen=True)
class ClassScore:
    """One class against the rest."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Report:
    """The nine metrics and how far confidences are from the truth. Precision, recall, F1 and ROC-AUC are macro
    averages; log loss is in nats."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    roc_auc: float
    top2_accuracy: float
    log_loss: float
    calibration_error: float
    confusion: np.ndarray  # int64 [K, K]: true class by predicted class
    per_class: dict[str, ClassScore]

    def scalars(self) -> dict[str, float]:
        """Every metric that is one number, by name; those of a class as `precision_7`."""
        summary = {k: v for k, v in asdict(self).items() if isinstance(v, float)}
        for name, score in self.per_class.items():
            summary |= {f"{metric}_{name}": value for metric, value in asdict(score).items()}
        return summary

    def as_json(self) -> dict[str, object]:
        """The whole report in plain types."""
        return asdict(self) | {"confusion": self.confusion.tolist()}


def evaluate(probabilities: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]) -> Report:
    """probabilities: float32 [N, K or more], of which the first K count; labels: int64 [N], each class at least once.

    Raises ValueError.
    """
    from sklearn import metrics

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
            name: ClassScore(float(precision[i]), float(recall[i]), float(f1[i])) for i, name in enumerate(class_names)
        },
    )


def reliability(confidence: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers in 15 equal steps of confidence, empty ones left out: mean confidence float [B], share that is right
    float [B], how many int64 [B].

    confidence: float [N], 0 to 1; right: bool [N].
    """
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sums = np.array([np.bincount(places, values, minlength=BINS) for values in (confidence, right)])
    filled = counts > 0
    mean_confidence, accuracy = sums[:, filled] / counts[filled]
    return mean_confidence, accuracy, counts[filled]


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """The expected calibration error, 0 to 1: how far confidence is from the share of right answers, bin by bin.

    confidence: float [N], 0 to 1; right: bool [N].
    """
    mean_confidence, accuracy, counts = reliability(confidence, right)
    return float((np.abs(mean_confidence - accuracy) * counts).sum() / max(counts.sum(), 1))
