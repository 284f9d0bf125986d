"""How well a model reads photos and scans, as a Markdown table by condition, and the worst of what it misreads."""

from collections.abc import Sequence
from pathlib import Path

from experiments.evaluation.drawings import Drawings
from experiments.evaluation.photographed.reading import Reading, picture
from experiments.preprocessing.decoding import PNG_SIGNATURE

HEADINGS = ("right", "surely wrong", "unsure", "rejected", "blank")
SAVED = 3  # mistakes of each condition


def table(readings: Sequence[Reading]) -> str:
    """The pad's reading comes first, then one per condition."""
    pad, *photographed = readings
    heads = ("condition", "ink, levels", "digit, px", "n", *(f"{heading} %" for heading in HEADINGS))
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    lines += [
        _row(condition.name, f"{abs(condition.contrast)}", f"{condition.height}", reading)
        for reading in photographed
        if (condition := reading.condition)
    ]
    lines.append(_row("over all conditions", "", "", Reading.of_all(photographed)))
    lines.append(_row("the same digits on the page's pad", "", "", pad))
    return "\n".join(lines)


def save_mistakes(readings: Sequence[Reading], digits: Drawings, seed: int, folder: Path) -> None:
    """Save the most confident mistakes of each condition as they were sent, instead of those of the last time."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in [*folder.glob("*.png"), *folder.glob("*.jpg")]:
        former.unlink()
    for reading in readings:
        name = reading.condition.name if reading.condition else None
        for place in reading.worst(SAVED):
            data = picture(digits.strokes[place], name, seed, place)
            answer = reading.predictions[place].label or reading.predictions[place].verdict
            ending = "png" if data.startswith(PNG_SIGNATURE) else "jpg"
            path = folder / f"{name or 'pad'} - {place} - {reading.labels[place]} as {answer}.{ending}"
            path.write_bytes(data)


def _row(name: str, contrast: str, height: str, reading: Reading) -> str:
    shares = (f"{100 * reading.shares()[heading]:.1f}" for heading in HEADINGS)
    return f"| {' | '.join((name, contrast, height, f'{len(reading.labels):,}', *shares))} |"
