"""How many digits drawn on the pad the Production model reads: `python -m benchmarks.drawn --help`.

Digits that the project draws itself, always; those of real people where DRAWN_STROKES names a stroke file.
"""

import argparse
import time

from rich.console import Console
from rich.table import Table

import model_loader
from experiments import drawn
from settings import Settings


def main() -> None:
    """Prints one table a source: accuracy by digit, size and brush."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drawn", description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="drawings of each source (default: 2000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=float, nargs=2, default=(0.3, 0.9), help="share of the pad (default: 0.3 0.9)")
    parser.add_argument("--brush", type=float, nargs=2, default=(16, 28), help="px of 400 (default: 16 28)")
    arguments = parser.parse_args()
    settings = Settings()
    classifier = model_loader.load("mnist", settings)
    print(classifier.describe())
    sources = {"generated": drawn.generate(arguments.count, arguments.seed)}
    if settings.drawn_strokes:
        real = drawn.read_strokes(settings.drawn_strokes)
        sources["real"] = drawn.sample(real, arguments.count, arguments.seed)
    for name, drawings in sources.items():
        layout = drawn.Layout(tuple(arguments.size), tuple(arguments.brush))
        started = time.perf_counter()
        outcome = drawn.answer(drawings, layout, arguments.seed, lambda sheet: classifier.classify(sheet).label)
        each = 1000 * (time.perf_counter() - started) / len(outcome.right)
        table = Table(title=f"{name} digits: {100 * outcome.accuracy:.2f} % of {len(outcome.right)} right")
        for heading in ("group", "n", "right %"):
            table.add_column(heading, justify="left" if heading == "group" else "right")
        for group, (count, share) in outcome.groups().items():
            table.add_row(group, str(count), f"{100 * share:.2f}")
        Console().print(table)
        print(f"{each:.1f} ms each to ink, prepare and read")


if __name__ == "__main__":
    main()
