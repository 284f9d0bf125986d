"""The model card of the shipped models: what their bundles record, filled into model_card.md beside this file."""

import textwrap
from collections.abc import Iterable
from pathlib import Path
from string import Template

from experiments.data.specs import SPECS
from experiments.inference import bundle as bundles
from experiments.inference.bundle import Bundle
from experiments.insights import figures, model_sentences
from experiments.insights.figures import Insights

TEMPLATE = Path(__file__).with_name("model_card.md")
METRICS = {  # with their titles, in the order of the card
    "test_accuracy": "test set: accuracy",
    "test_precision": "test set: precision, mean of the classes",
    "test_recall": "test set: recall, mean of the classes",
    "test_f1": "test set: F1, mean of the classes",
    "test_top2_accuracy": "test set: the true class is among the two likeliest",
    "test_calibration_error": "test set: expected calibration error",
    "test_roc_auc": "test set: ROC AUC, mean of the classes",
    "test_log_loss": "test set: log loss, nats",
    "validation_accuracy": "validation: accuracy",
    "validation_calibration_error": "validation: expected calibration error",
    "validation_log_loss": "validation: log loss, nats",
    "drawn_accuracy": "generated drawings: read right",
    "drawn_sure": "generated drawings: answered as sure",
    "drawn_sure_accuracy": "generated drawings: sure answers that are right",
    "drawn_refused": "generated drawings: rejected",
    "drawn_calibration_error": "generated drawings: expected calibration error",
    "negatives_refused": "symbols, scribbles and several digits at once: rejected",
}


def build(models_dir: Path) -> str:
    """Return the card as Markdown. Raises BundleError or InsightsError where a bundle or its figures are missing."""
    parts = {}
    for name in SPECS:
        bundle = bundles.read(models_dir / name)
        insights = figures.read(bundle)
        parts[f"{name}_details"] = _details(bundle)
        parts[f"{name}_evaluation"] = _evaluation(bundle, insights)
        parts[f"{name}_classes"] = _classes(insights)
    return Template(TEMPLATE.read_text()).substitute(parts)


def _details(bundle: Bundle) -> str:
    shape, thresholds = "×".join(map(str, bundle.input_shape)), bundle.thresholds
    rejected = f"above a probability of {_percent(thresholds.refuse)} of the reject class"
    rows = [
        ("version, MLflow run", f"{bundle.version}, `{bundle.run_id}`"),
        ("trained", bundle.trained_at[:10]),
        ("SHA-256 of the data", f"`{bundle.data_digest}`"),
        *((f"SHA-256 of `{name}`", f"`{digest}`") for name, digest in bundle.sha256.items()),
        ("input", f"{bundle.input_contract}; here {shape}"),
        ("output", bundle.output_contract),
        ("classes", ", ".join(bundle.class_names)),
        ("sure", f"from a probability of {_percent(thresholds.sure)}"),
        *(
            (
                f"unsure of {pair.answer}",
                f"where {pair.rival} comes second above a probability of {_percent(pair.above)}",
            )
            for pair in thresholds.rivals
        ),
        ("rejected", rejected if SPECS[bundle.dataset].has_reject_class else "never"),
    ]
    return _table("|  | value |\n| --- | --- |", rows)


def _evaluation(bundle: Bundle, insights: Insights) -> str:
    drawings = sum(group.count for group in insights.drawings.get("size", ()))
    counts = {"drawn": drawings, "negatives": drawings} | {name: sum(n) for name, n in insights.counts.items()}
    rows = [
        (title, _value(name, bundle.metrics[name]), f"{counts[name.partition('_')[0]]:,}")
        for name, title in METRICS.items()
        if name in bundle.metrics
    ]
    sentences = [model_sentences.reliability(insights)]
    if insights.drawings:
        sentences.append(model_sentences.drawings(insights))
    if insights.refusal:
        sentences.append(model_sentences.refusal(insights))
    return "\n\n".join([_table("| metric | value | n |\n| --- | ---: | ---: |", rows), *map(_paragraph, sentences)])


def _classes(insights: Insights) -> str:
    scores = zip(insights.class_names, *insights.scores(), insights.counts["test"], strict=True)
    rows = [(name, *map(_percent, values), f"{count:,}") for name, *values, count in scores]
    table = _table("| class | precision | recall | F1 | n |\n| --- | ---: | ---: | ---: | ---: |", rows)
    return f"{_paragraph(f'On the official test set. {model_sentences.confusion(insights)}')}\n\n{table}"


def _value(name: str, value: float) -> str:
    return f"{value:.5f}" if name.endswith(("roc_auc", "log_loss")) else _percent(value)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _paragraph(text: str) -> str:
    return textwrap.fill(text, 120, break_on_hyphens=False)


def _table(head: str, rows: Iterable[Iterable[str]]) -> str:
    return "\n".join([head, *(f"| {' | '.join(row)} |" for row in rows)])
