"""The model card of the shipped models, as Markdown: made from their bundles alone."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.data.specs import SPECS
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle
from experiments.insights import figures, model_sentences
from experiments.insights.figures import Insights

WIDTH = 120  # characters of a line
TITLE = "Model card"
INTRODUCTION = (
    "The two models shipped in `models/`, as their bundles describe them. `python -m experiments model-card` writes "
    "this file; all its figures come from `model.json` and `insights.json` in the folder of the model."
)
SCORES = {  # by metric of the official test set; in %, all but the last two
    "accuracy": "accuracy",
    "precision": "precision, mean of the classes",
    "recall": "recall, mean of the classes",
    "f1": "F1, mean of the classes",
    "top2_accuracy": "the true class is among the two likeliest",
    "calibration_error": "expected calibration error",
    "roc_auc": "ROC AUC, mean of the classes",
    "log_loss": "log loss, nats",
}
DRAWINGS = {
    "drawn_accuracy": "drawings read right",
    "drawn_sure": "drawings answered as sure",
    "drawn_sure_accuracy": "sure answers that are right",
    "drawn_refused": "drawings rejected",
    "drawn_calibration_error": "expected calibration error on drawings",
    "negatives_refused": "non-digits rejected: symbols, scribbles, several digits at once",
}


@dataclass(frozen=True)
class Description:
    """What no bundle records of a model: its use, its data with their licence, and its limits."""

    purpose: str
    data: str
    limits: tuple[str, ...]


DESCRIPTIONS = {
    "mnist": Description(
        "Reads one handwritten digit in a drawing or a scan, cropped and centred as MNIST's images are. For "
        "demonstrations and teaching; not for forms, cheques or anything where a wrong digit does harm.",
        "MNIST (Yann LeCun, Corinna Cortes and Christopher J. C. Burges, CC BY-SA 3.0): 5,000 of the 60,000 training "
        "images are kept for validation. The project adds digits generated from stroke templates, MNIST digits in "
        "other styles, and non-digits for the reject class. No drawing of a real person besides MNIST's is in the "
        "training.",
        (
            "Letters that look like digits (O, I, l, S, Z, B) and lines that bend like one are read as digits.",
            "A 1 with a level upstroke and a narrow 7 are one drawing; the answer may be sure and wrong.",
            "Several digits in one picture are rejected, not read.",
            "About fifteen labels of MNIST's test set are known to be wrong.",
        ),
    ),
    "cifar10": Description(
        "Says which of ten things a photo shows: the square in its middle, scaled to 32 by 32 pixels. For "
        "demonstrations and teaching; not for any decision about people, animals or traffic.",
        "CIFAR-10 (Alex Krizhevsky, Vinod Nair and Geoffrey Hinton, who ask to cite Learning Multiple Layers of "
        "Features from Tiny Images, 2009, and state no licence; it is not shipped): 5,000 of the 50,000 training "
        "images are kept for validation. Shuffled, blended and blurred photos, patches and shapes teach the model to "
        "be unsure.",
        (
            "It has no reject class: of a photo of none of the ten it should be unsure, and sometimes is sure.",
            "Cats and dogs are confused most.",
            "32 by 32 pixels show little; far larger networks read 99 %.",
        ),
    ),
}


def build(models_dir: Path) -> str:
    """Return the Markdown. Raises BundleError or InsightsError where a data set's bundle or its figures are missing."""
    parts = [f"# {TITLE}", _paragraph(INTRODUCTION)]
    for name, description in DESCRIPTIONS.items():
        bundle = bundles.read(models_dir / name)
        parts += _card(bundle, figures.read(bundle), description)
    return "\n\n".join(parts) + "\n"


def _card(bundle: Bundle, insights: Insights, description: Description) -> Iterator[str]:
    yield f"## {SPECS[bundle.dataset].registered_model}"
    yield _paragraph(description.purpose)
    yield from _model(bundle)
    yield "### Training data"
    yield _paragraph(description.data)
    yield _paragraph(f"SHA-256 of the images and labels: `{bundle.data_digest}`.")
    yield "### Evaluation"
    yield from _evaluation(bundle, insights)
    yield "### By class"
    yield _paragraph(f"On the official test set. {model_sentences.confusion(insights)}")
    yield _classes(insights)
    yield "### Limits"
    yield "\n".join(f"- {limit}" for limit in description.limits)


def _model(bundle: Bundle) -> Iterator[str]:
    thresholds, spec = bundle.thresholds, SPECS[bundle.dataset]
    height, width, channels = bundle.input_shape
    rejected = f"the reject class above {_percent(thresholds.refuse)}" if spec.has_reject_class else "never"
    yield _table(
        ("", "value"),
        [
            ("version, MLflow run", f"{bundle.version}, `{bundle.run_id}`"),
            ("trained", bundle.trained_at[:10]),
            ("input", f"{bundle.input_contract}; here {height}×{width}×{channels}"),
            ("output", bundle.output_contract),
            ("classes", ", ".join(bundle.class_names)),
            ("sure", f"from a probability of {_percent(thresholds.sure)}"),
            ("rejected", rejected),
            *((f"SHA-256 of `{name}`", f"`{digest}`") for name, digest in bundle.sha256.items()),
        ],
    )


def _evaluation(bundle: Bundle, insights: Insights) -> Iterator[str]:
    test, validation = sum(insights.counts["test"]), sum(insights.counts["validation"])
    rows = [
        (f"test set: {words}", _score(name, bundle.metrics[f"test_{name}"]), f"{test:,}")
        for name, words in SCORES.items()
    ]
    rows += [
        (f"validation: {SCORES[name]}", _score(name, bundle.metrics[f"validation_{name}"]), f"{validation:,}")
        for name in ("accuracy", "calibration_error", "log_loss")
    ]
    drawings = sum(group.count for group in insights.drawings.get("size", ()))  # of the non-digits there are as many
    rows += [
        (words, _percent(bundle.metrics[name]), f"{drawings:,}")
        for name, words in DRAWINGS.items()
        if name in bundle.metrics
    ]
    yield _table(("metric", "value", "n"), rows)
    yield _paragraph(model_sentences.reliability(insights))
    if insights.drawings:
        yield _paragraph(model_sentences.drawings(insights))


def _classes(insights: Insights) -> str:
    scores = zip(insights.class_names, *insights.scores(), insights.counts["test"], strict=True)
    rows = [(name, *map(_percent, values), f"{count:,}") for name, *values, count in scores]
    return _table(("class", "precision", "recall", "F1", "n"), rows)


def _score(name: str, value: float) -> str:
    return f"{value:.5f}" if name in ("roc_auc", "log_loss") else _percent(value)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(headings) - 1)] if len(headings) > 2 else ["---"] * len(headings)
    return "\n".join(f"| {' | '.join(row)} |" for row in (headings, rule, *rows))
