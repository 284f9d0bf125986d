"""How well a model reads numbers, as a Markdown table by condition, and the worst of what it misreads."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path

from experiments.evaluation.photographed.camera import png
from experiments.evaluation.strings.reading import Reading, Source, written

HEADINGS = ("single", "right", "sure", "right of sure", "rejected")
SAVED = 5  # mistakes of each condition


def table(readings: Sequence[Reading]) -> str:
    """A row per condition, and one for all numbers of digits alone and one for all with other ink."""
    heads = ("condition", "n", *(f"{heading} %" for heading in HEADINGS), "calibration error %")
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    lines += [_row(reading.condition.name, reading) for reading in readings if reading.condition]
    numbers, with_other_ink = _numbers(readings), _with_other_ink(readings)
    if numbers.outcomes:
        lines.append(_row("over all numbers of digits alone", numbers, f"{100 * numbers.calibration_error():.2f}"))
    if with_other_ink.outcomes:
        lines.append(_row("over all with other ink", with_other_ink))
    return "\n".join(lines)


def summary(readings: Sequence[Reading]) -> str:
    """Sentences on what is sure."""
    sure = [outcome for outcome in _numbers(readings).outcomes if outcome.is_sure]
    others = _with_other_ink(readings).outcomes
    sentences = []
    if sure:
        right = sum(outcome.is_right for outcome in sure) / len(sure)
        sentences.append(
            f"Of the sure numbers of two digits or more {100 * right:.2f} % are right (n = {len(sure):,})."
        )
    if others:
        wrongly_sure = sum(outcome.is_sure for outcome in others)
        sentences.append(f"Of the {len(others):,} sheets with other ink {wrongly_sure:,} are sure.")
    return " ".join(sentences)


def save_mistakes(readings: Sequence[Reading], source: Source, folder: Path) -> None:
    """Save the worst mistakes of each condition as they were sent, captions as names, instead of those of the last
    time."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.png"):
        former.unlink()
    for reading in readings:
        if reading.condition is None:
            continue
        for outcome in reading.worst(SAVED):
            sheet = written(source, reading.condition.name, outcome.number)
            answer = f"{outcome.verdict} {outcome.label}".strip()
            caption = f"{reading.condition.name} - {outcome.number} - {sheet.text} as {answer}"
            (folder / f"{_file_name(caption)}.png").write_bytes(png(sheet.sheet[..., None].repeat(3, axis=2)))


def _numbers(readings: Sequence[Reading]) -> Reading:
    """Those of two digits or more and nothing else."""
    return Reading.of_all(
        reading
        for reading in readings
        if reading.condition and reading.condition.length > 1 and not reading.condition.has_other_ink
    )


def _with_other_ink(readings: Sequence[Reading]) -> Reading:
    return Reading.of_all(reading for reading in readings if reading.condition and reading.condition.has_other_ink)


def _row(name: str, reading: Reading, calibration: str = "") -> str:
    shares = reading.shares()
    cells = ["" if isnan(shares[heading]) else f"{100 * shares[heading]:.1f}" for heading in HEADINGS]
    return f"| {' | '.join((name, f'{len(reading.outcomes):,}', *cells, calibration))} |"


def _file_name(caption: str) -> str:
    """Without what some systems forbid."""
    return caption.replace("\n", " ").replace("?", "_")
