"""How well a model reads drawings, in the terminal: generated digits, and real people's where a stroke file is set."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.data.specs import SPECS
from experiments.evaluation import drawings as drawn
from experiments.evaluation import scribbles
from experiments.evaluation.drawings import CLEAR, Drawings, Layout, Outcome, PreparedDrawings
from experiments.evaluation.metrics import separation
from experiments.inference.bundle import Bundle
from experiments.inference.litert import LiteRTModel
from experiments.inference.predictions import Prediction, predict
from experiments.insights import plots

LAYOUTS = {
    "anywhere": Layout(),
    "usual": Layout(sizes=(0.3, 0.9), brushes=(8, 28), turns=(0, 0)),
    "smallest": Layout(sizes=(0.15, 0.3), brushes=(6, 10), turns=(0, 0)),
    "thinnest": Layout(brushes=(6, 8), turns=(0, 0)),
}
HEADINGS = {
    "accuracy": "right %",
    "sure": "sure %",
    "refused": "rejected %",
    "sure_accuracy": "right of sure %",
    "calibration_error": "calibration error %",
}
THRESHOLDS = (0.95, 0.85, 0.7, 0.5, 0.2, 0.1)  # of the reject class's probability, shown beside the model's own


def report(
    bundle: Bundle, sources: Mapping[str, Drawings], seed: int, folder: Path, console: Console
) -> dict[str, Outcome]:
    """Print scores by source and layout and, for drawings anywhere, by group; save the worst mistakes in `folder`.

    Returns the outcomes in the usual layout, by source.
    """
    summary = _table("Drawn digits by layout", "source", "layout", "n", *HEADINGS.values(), "5th-percentile writer %")
    outcomes, usual = {}, {}
    remarks: list[str] = []
    for source, drawings in sources.items():
        by_layout = {name: drawn.score(*_predict(bundle, drawings, layout, seed)) for name, layout in LAYOUTS.items()}
        for name, outcome in by_layout.items():
            scores = (f"{100 * outcome.scores()[key]:.2f}" for key in HEADINGS)
            writers = f"{100 * outcome.writer_accuracy(5):.1f}" if len(set(drawings.writers)) > 1 else ""
            summary.add_row(source, name, f"{len(outcome.correct):,}", *scores, writers)
        outcomes[source], usual[source] = by_layout["anywhere"], by_layout["usual"]
        remarks += _rivals(source, SPECS[bundle.dataset].rivals, by_layout)
        if fragments := int(outcomes[source].drawings.fragments.sum()):
            remarks.append(_remark(source, fragments, by_layout))
    console.print(summary, *remarks, sep="\n")
    folder.mkdir(parents=True, exist_ok=True)
    for source, outcome in outcomes.items():
        groups = _table(f"{source} digits, anywhere on the pad", "group", "n", "right %")
        for group, (count, share) in outcome.groups().items():
            groups.add_row(group, f"{count:,}", f"{100 * share:.2f}")
        path = folder / f"drawn_{source}.png"
        plots.contact_sheet(f"{source} digits: worst mistakes", outcome.worst()).savefig(path, dpi=110)
        console.print(groups, f"Worst mistakes: {path}", sep="\n")
    return usual


def report_rejections(
    bundle: Bundle,
    digits: Mapping[str, Outcome],
    letters: Drawings | None,
    count: int,
    seed: int,
    folder: Path,
    console: Console,
) -> None:
    """Print the shares of digits, of scribbles by kind and of letters that are rejected, by threshold, and how well the
    others are told from the digits; save the curves in `folder`.

    digits: by source, in the order of trust: the last is what the others are told from. count: of scribbles.
    """
    groups = {f"{source} digits": _reject(outcome.predictions) for source, outcome in digits.items()}
    reference = list(groups.values())[-1]
    others = _by_group(bundle, scribbles.draw(count, seed), {kind: (kind,) for kind in scribbles.KINDS}, seed)
    if letters is not None:
        kinds = {"clear letters": CLEAR, "all letters": tuple(np.unique(letters.labels).tolist())}
        others |= _by_group(bundle, letters, kinds, seed)
    own = bundle.thresholds.refuse
    steps = sorted({*THRESHOLDS, own}, reverse=True)
    titles = (f"{step:.3f} ★" if step == own else f"{step:.2f}" for step in steps)
    title = f"Rejected %, by threshold (★ the model's); told from {list(groups)[-1]}"
    table = _table(title, "what", "n", *titles, "AUROC", "FPR % at 95 % TPR")
    for name, reject in (groups | others).items():
        shares = (f"{100 * (reject > step).mean():.2f}" for step in steps)
        area, false_positives = separation(reference, reject)
        scores = (f"{area:.4f}", f"{100 * false_positives:.2f}") if name in others else ("", "")
        table.add_row(name, f"{len(reject):,}", *shares, *scores)
    curves = {name: (_shares(reference), _shares(reject)) for name, reject in others.items()}
    path = folder / "rejections.png"
    plots.rejections(curves).savefig(path, dpi=110)
    console.print(table, f"Curves: {path}", sep="\n")


def _by_group(
    bundle: Bundle, drawings: Drawings, groups: Mapping[str, tuple[str, ...]], seed: int
) -> dict[str, np.ndarray]:
    """Reject probabilities, float [N], of the drawings with the labels of each group that has any."""
    _, predictions = _predict(bundle, drawings, LAYOUTS["usual"], seed)
    members = {name: np.isin(drawings.labels, labels) for name, labels in groups.items()}
    return {name: _reject(predictions)[own] for name, own in members.items() if own.any()}


def _reject(predictions: Sequence[Prediction]) -> np.ndarray:
    return np.array([prediction.reject_probability for prediction in predictions])


def _shares(reject: np.ndarray) -> list[float]:
    return [float((reject > step).mean()) for step in np.linspace(0.01, 0.99, 99)]


def _predict(
    bundle: Bundle, drawings: Drawings, layout: Layout, seed: int
) -> tuple[PreparedDrawings, list[Prediction]]:
    prepared, spec = drawn.put_on_pad(drawings, layout, seed), SPECS[bundle.dataset]
    return prepared, predict(LiteRTModel(bundle.tflite), prepared.images, spec, bundle.thresholds, bundle.version)


def _remark(source: str, fragments: int, by_layout: Mapping[str, Outcome]) -> str:
    shares = (f"{name} {100 * outcome.sure_accuracy_without_fragments():.2f}" for name, outcome in by_layout.items())
    return (
        f"{source}: {fragments} are a single straight stroke labelled other than 1, which nobody can read.\n"
        f"Without them, right of sure %: {', '.join(shares)}."
    )


def _rivals(source: str, pairs: Sequence[tuple[str, str]], by_layout: Mapping[str, Outcome]) -> Iterator[str]:
    """How often each rival is surely taken for the other class, and how often with doubt."""
    for answer, rival in pairs:
        counts = []
        for name, outcome in by_layout.items():
            misread = np.array([prediction.label == answer for prediction in outcome.predictions])
            misread &= outcome.drawings.labels == int(rival)
            surely = int((misread & outcome.sure).sum())
            counts.append(f"{name} {surely}, {misread.sum() - surely}")
        yield f"{source}: {rival} answered {answer} surely, and unsure: {'; '.join(counts)}."


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("source", "layout", "group", "what") else "right")
    return table
