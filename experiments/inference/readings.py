"""What is told of a prediction, to the API's clients and to MLflow's alike."""

from collections.abc import Sequence
from typing import Any

from experiments.inference.predictions import Digit, Prediction


def reading(prediction: Prediction, class_names: Sequence[str]) -> dict[str, Any]:
    """The plain values of a prediction by name. A number has no confidences, since each of its digits has its own."""
    probabilities = [] if prediction.digits else [round(value, 6) for value in prediction.probabilities.tolist()]
    return {
        "label": prediction.label or None,
        "text": prediction.label or None,
        "verdict": prediction.verdict,
        "confidence": round(prediction.confidence, 6),
        "candidates": list(prediction.candidates),
        "confidences": dict(zip(class_names, probabilities, strict=not prediction.digits)),
        "digits": [_digit(digit) for digit in prediction.located],
    }


def _digit(digit: Digit) -> dict[str, Any]:
    answer = digit.answer
    return {
        "box": list(digit.box),
        "label": answer.label or None,
        "verdict": answer.verdict,
        "confidence": round(answer.confidence, 6),
        "candidates": list(answer.candidates),
    }
