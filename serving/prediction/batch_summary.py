"""A batch in figures: its table, how often each answer came and, where file names carry labels, what was right."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from serving.prediction.many import Reading

COLUMNS = ("File", "Answer", "Confidence", "Verdict", "Label", "Right", "Note")
NO_ANSWER = "none"
FORMULA = ("=", "+", "-", "@", "\t")  # with which a cell begins that a spreadsheet would calculate


@dataclass(frozen=True)
class Summary:
    """Readings in the order sent, and their labels from file names, "" where there is none."""

    readings: Sequence[Reading]
    labels: Sequence[str]
    class_names: Sequence[str]

    @property
    def right(self) -> list[bool | None]:
        """Of each reading: whether the answer is the label; None without label or readable picture."""
        return [
            reading.prediction.label == label if label and reading.prediction else None
            for reading, label in zip(self.readings, self.labels, strict=True)
        ]

    def rows(self) -> list[list[str]]:
        """The table's cells, one row a file, as COLUMNS names them."""
        return [
            _row(reading, label, right)
            for reading, label, right in zip(self.readings, self.labels, self.right, strict=True)
        ]

    def csv(self) -> bytes:
        """The table as a file that spreadsheets open: UTF-8, with a byte order mark."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows([[_harmless(cell) for cell in row] for row in self.rows()])
        return text.getvalue().encode("utf-8-sig")

    def sentences(self, seconds: float) -> str:
        """What was read and in how long, what could not be, and the share that is right if there are labels."""
        readable = [reading for reading in self.readings if reading.prediction]
        told = [f"{_count(len(readable), 'picture')} read in {seconds:.1f} s."]
        if unusable := len(self.readings) - len(readable):
            told.append(f"{_count(unusable, 'file')} could not be used; the table says why.")
        if judged := [right for right in self.right if right is not None]:
            share = f"{100 * sum(judged) / len(judged):.2f} %"
            told.append(f"**{share} of the {len(judged):,} with a label in their name are right.**")
        return " ".join(told)

    def answers(self) -> list[tuple[str, str, int]]:
        """Answer, verdict and how many, for the chart."""
        counted = Counter(
            (reading.prediction.label or NO_ANSWER, reading.prediction.verdict)
            for reading in self.readings
            if reading.prediction
        )
        return [(answer, verdict, count) for (answer, verdict), count in sorted(counted.items())]

    def confusion(self) -> list[list[str]]:
        """A row for each label that occurs: the label, then how many got each class as answer, then none; "" for 0."""
        pairs = Counter(
            (label, reading.prediction.label)
            for reading, label in zip(self.readings, self.labels, strict=True)
            if label and reading.prediction
        )
        occurring = [name for name in self.class_names if any(label == name for label, _ in pairs)]
        return [
            [label, *(str(pairs[label, answer] or "") for answer in [*self.class_names, ""])] for label in occurring
        ]


def _row(reading: Reading, label: str, right: bool | None) -> list[str]:
    verdict = {None: "", True: "yes", False: "no"}[right]
    if reading.prediction is None:
        return [reading.name, "", "", "", label, verdict, reading.error]
    found = reading.prediction
    note = " or ".join(found.candidates)
    return [reading.name, found.label, f"{found.confidence:.4f}", found.verdict, label, verdict, note]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
