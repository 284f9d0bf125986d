"""How well a model reads drawings: digits the project draws itself, and real people's where a stroke file is named."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.data.specs import SPECS
from experiments.evaluation import drawings as drawn
from experiments.evaluation import scribbles
from experiments.evaluation.drawings import Drawings, Layout, PreparedDrawings
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
    "refused": "refused %",
    "sure_accuracy": "right of sure %",
    "calibration_error": "calibration error %",
}


CLEAR = tuple("AEFHKMNPRWXkmwx")  # letters that nobody takes for a digit


def report(bundle: Bundle, sources: Mapping[str, Drawings], seed: int, folder: Path, console: Console) -> None:
    """Prints scores by source and layout and, for drawings anywhere, by group; puts the worst mistakes in `folder`."""
    model = LiteRTModel(bundle.tflite)
    summary = _table("Drawn digits by layout", "source", "layout", "n", *HEADINGS.values(), "5th-percentile writer %")
    outcomes, remarks = {}, []
    for source, drawings in sources.items():
        clean = {}
        for name, layout in LAYOUTS.items():
            outcome = drawn.score(*_answered(model, bundle, drawings, layout, seed))
            clean[name] = outcome.sure_accuracy_without_fragments()
            outcomes.setdefault(source, outcome)  # the first layout is shown in detail
            scores = (f"{100 * outcome.scores()[key]:.2f}" for key in HEADINGS)
            writers = f"{100 * outcome.writer_accuracy(5):.1f}" if len(set(drawings.writers)) > 1 else ""
            summary.add_row(source, name, f"{len(outcome.correct):,}", *scores, writers)
        if bare := np.count_nonzero(outcome.drawings.fragments):
            shares = ", ".join(f"{name} {100 * share:.2f}" for name, share in clean.items())
            remarks.append(
                f"{source}: {bare} are a single straight stroke labelled other than 1, which nobody can read."
            )
            remarks.append(f"Without them, right of sure %: {shares}.")
    console.print(summary, *remarks, sep="\n")
    for source, outcome in outcomes.items():
        groups = _table(f"{source} digits, anywhere on the pad", "group", "n", "right %")
        for group, (count, share) in outcome.groups().items():
            groups.add_row(group, f"{count:,}", f"{100 * share:.2f}")
        console.print(groups)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"drawn_{source}.png"
        plots.contact_sheet(f"{source} digits: worst mistakes", outcome.worst()).savefig(path, dpi=110)
        console.print(f"Worst mistakes: {path}")


def report_letters(bundle: Bundle, letters: Drawings, seed: int, console: Console) -> None:
    """Prints the share of letters that is refused, which is what should become of them."""
    clear, all_of_them = np.isin(letters.labels, CLEAR), np.ones(len(letters.labels), bool)
    groups = {"clear": clear, "all": all_of_them}
    _report_refusals("Letters refused", bundle, letters, groups, seed, console)


def report_scribbles(bundle: Bundle, count: int, seed: int, console: Console) -> None:
    """The same of so many scribbles, by kind."""
    drawings = scribbles.draw(count, seed)
    groups = {kind: drawings.labels == kind for kind in scribbles.KINDS}
    _report_refusals("Scribbles refused", bundle, drawings, groups, seed, console)


def _report_refusals(
    title: str, bundle: Bundle, drawings: Drawings, groups: Mapping[str, np.ndarray], seed: int, console: Console
) -> None:
    """groups: bool [N] of the drawings each."""
    _, answers = _answered(LiteRTModel(bundle.tflite), bundle, drawings, LAYOUTS["usual"], seed)
    refused = np.array([answer.verdict == "rejected" for answer in answers])
    table = _table(title, "what", "n", "refused %")
    for name, mask in groups.items():
        if mask.any():
            table.add_row(name, f"{mask.sum():,}", f"{100 * refused[mask].mean():.2f}")
    console.print(table)


def _answered(
    model: LiteRTModel, bundle: Bundle, drawings: Drawings, layout: Layout, seed: int
) -> tuple[PreparedDrawings, list[Prediction]]:
    sheets = drawn.put_on_pad(drawings, layout, seed)
    return sheets, predict(model, sheets.images, SPECS[bundle.dataset], bundle.thresholds, bundle.version)


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in ("source", "layout", "group", "what") else "right")
    return table
