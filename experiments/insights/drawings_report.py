"""How well a model reads drawings, in the terminal: generated digits, and real people's where a stroke file is set."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.data.specs import SPECS
from experiments.evaluation import drawings as drawn
from experiments.evaluation import scribbles
from experiments.evaluation.drawings import Drawings, Layout, Outcome, PreparedDrawings
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
CLEAR = tuple("AEFHKMNPRWXkmwx")  # letters that nobody takes for a digit


def report(bundle: Bundle, sources: Mapping[str, Drawings], seed: int, folder: Path, console: Console) -> None:
    """Print scores by source and layout and, for drawings anywhere, by group; save the worst mistakes in `folder`."""
    summary = _table("Drawn digits by layout", "source", "layout", "n", *HEADINGS.values(), "5th-percentile writer %")
    outcomes, remarks = {}, []
    for source, drawings in sources.items():
        by_layout = {name: drawn.score(*_predict(bundle, drawings, layout, seed)) for name, layout in LAYOUTS.items()}
        for name, outcome in by_layout.items():
            scores = (f"{100 * outcome.scores()[key]:.2f}" for key in HEADINGS)
            writers = f"{100 * outcome.writer_accuracy(5):.1f}" if len(set(drawings.writers)) > 1 else ""
            summary.add_row(source, name, f"{len(outcome.correct):,}", *scores, writers)
        outcomes[source] = by_layout["anywhere"]
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


def report_letters(bundle: Bundle, letters: Drawings, seed: int, console: Console) -> None:
    """Print the share of letters that is rejected, as all of them should be."""
    groups = {"clear": np.isin(letters.labels, CLEAR), "all": np.ones(len(letters.labels), bool)}
    _report_rejections("Letters rejected", bundle, letters, groups, seed, console)


def report_scribbles(bundle: Bundle, count: int, seed: int, console: Console) -> None:
    """Likewise of so many scribbles, by kind."""
    drawings = scribbles.draw(count, seed)
    groups = {kind: drawings.labels == kind for kind in scribbles.KINDS}
    _report_rejections("Scribbles rejected", bundle, drawings, groups, seed, console)


def _report_rejections(
    title: str, bundle: Bundle, drawings: Drawings, groups: Mapping[str, np.ndarray], seed: int, console: Console
) -> None:
    """groups: bool [N], which of the drawings belong to it."""
    _, predictions = _predict(bundle, drawings, LAYOUTS["usual"], seed)
    rejected = np.array([prediction.verdict == "rejected" for prediction in predictions])
    table = _table(title, "what", "n", "rejected %")
    for name, members in groups.items():
        if members.any():
            table.add_row(name, f"{members.sum():,}", f"{100 * rejected[members].mean():.2f}")
    console.print(table)


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


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("source", "layout", "group", "what") else "right")
    return table
