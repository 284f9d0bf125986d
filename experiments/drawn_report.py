"""How well a model reads drawings: digits the project draws itself, and real people's where a stroke file is named."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments import drawn, plots
from experiments.bundle import Bundle
from experiments.drawn import Drawings, Layout, Outcome
from experiments.inference import LiteRTModel, predictions

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


def report(bundle: Bundle, sources: Mapping[str, Drawings], seed: int, folder: Path, console: Console) -> None:
    """Prints scores by source and layout and, for drawings anywhere, by group; puts the worst mistakes in `folder`."""
    model = LiteRTModel(bundle.tflite)
    summary = Table(title="Drawn digits by layout")
    for heading in ("source", "layout", "n", *HEADINGS.values(), "5th-percentile writer %"):
        summary.add_column(heading, justify="left" if heading in ("source", "layout") else "right")
    outcomes = {}
    for source, drawings in sources.items():
        for name, layout in LAYOUTS.items():
            outcome = _sit(model, bundle, drawn.put_on_pad(drawings, layout, seed))
            outcomes.setdefault(source, outcome)  # the first layout is shown in detail
            scores = (f"{100 * outcome.scores()[key]:.2f}" for key in HEADINGS)
            writers = f"{100 * outcome.writer_accuracy(5):.1f}" if len(set(drawings.writers)) > 1 else ""
            summary.add_row(source, name, f"{len(outcome.right):,}", *scores, writers)
    console.print(summary)
    for source, outcome in outcomes.items():
        console.print(_by_group(source, outcome))
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"drawn_{source}.png"
        plots.contact_sheet(f"{source} digits: worst mistakes", outcome.worst()).savefig(path, dpi=110)
        console.print(f"Worst mistakes: {path}")


def _sit(model: Callable, bundle: Bundle, sheets: drawn.Sheets) -> Outcome:
    answers = predictions(sheets.images, model(sheets.images), bundle.class_names, bundle.thresholds, bundle.version)
    return drawn.score(sheets, answers)


def _by_group(source: str, outcome: Outcome) -> Table:
    table = Table(title=f"{source} digits, anywhere on the pad")
    for heading in ("group", "n", "right %"):
        table.add_column(heading, justify="left" if heading == "group" else "right")
    for group, (count, share) in outcome.groups().items():
        table.add_row(group, f"{count:,}", f"{100 * share:.2f}")
    return table
