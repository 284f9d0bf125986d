"""What is common to all predictions: from prepared images to predictions, and the outcome of one file of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.inference.predictions import Prediction, with_blanks
from model_loader import Classifier
from serving.core.errors import Refused


@dataclass(frozen=True, eq=False)
class FileResult:
    """The outcome of one file of a batch: a prediction, with a preview if one was asked for, or an error."""

    name: str
    prediction: Prediction | None = None
    error: Refused | None = None
    preview: bytes = b""  # PNG

    @property
    def sure_label(self) -> str:
        """The answer the model is sure of, "" where there is none."""
        return self.prediction.label if self.prediction and self.prediction.verdict == "sure" else ""


def predict_images(classifier: Classifier, images: Sequence[np.ndarray | None]) -> list[Prediction]:
    """Predict prepared images, uint8 [h, w, C]; None stands for a blank, which the model is not asked about."""
    return with_blanks(images, classifier.predict, classifier.bundle.class_names, classifier.bundle.version)
