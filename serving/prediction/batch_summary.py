"""The results of a batch summarised: a table, counts of each answer and, where file names carry labels, accuracy."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from serving.core.spreadsheets import write_rows
from serving.prediction.predict import FileResult

COLUMNS = ("File", "Answer", "Confidence", "Verdict", "Label", "Right", "Note")
NO_ANSWER = "none"


@dataclass(frozen=True)
class BatchSummary:
    """Results in the order sent, and their labels, "" where there is none."""

    results: Sequence[FileResult]
    labels: Sequence[str]
    class_names: Sequence[str]
    notes: Sequence[str] = ()  # how the upload was understood, as sentences

    @property
    def correct(self) -> list[bool | None]:
        """Whether each answer is the label; None without a label or a prediction."""
        return [
            result.prediction.label == label if label and result.prediction else None
            for result, label in zip(self.results, self.labels, strict=True)
        ]

    def rows(self) -> list[list[str]]:
        """The table's cells, one row a file, as COLUMNS names them."""
        return list(map(_row, self.results, self.labels, self.correct))

    def csv(self) -> bytes:
        """The table as a file that spreadsheets open: UTF-8, with a byte order mark."""
        text = io.StringIO()
        write_rows(text, [COLUMNS, *self.rows()])
        return text.getvalue().encode("utf-8-sig")

    def sentences(self, seconds: float) -> str:
        """Markdown: how many pictures were read and in how long, and the share of right answers if there are labels."""
        readable = sum(result.prediction is not None for result in self.results)
        sentences = [f"{_count(readable, 'picture')} read in {seconds:.1f} s."]
        if unusable := len(self.results) - readable:
            sentences.append(f"{_count(unusable, 'file')} could not be used; the table says why.")
        if judged := [correct for correct in self.correct if correct is not None]:
            share = f"{100 * sum(judged) / len(judged):.2f} %"
            sentences.append(f"**{share} of the {len(judged):,} with a label are right.**")
        return "\n\n".join([" ".join(sentences), *self.notes])

    def answers(self) -> list[tuple[str, str, int]]:
        """Answer, verdict and how many, for the chart."""
        counts = Counter(
            (result.prediction.label or NO_ANSWER, result.prediction.verdict)
            for result in self.results
            if result.prediction
        )
        return [(answer, verdict, count) for (answer, verdict), count in sorted(counts.items())]

    def confusion(self) -> list[list[str]]:
        """A row for each label that occurs: the label, then how many got each class as answer, then none; "" for 0."""
        pairs = Counter(
            (label, result.prediction.label)
            for result, label in zip(self.results, self.labels, strict=True)
            if label and result.prediction
        )
        occurring = {label for label, _ in pairs}
        return [
            [name, *(str(pairs[name, answer] or "") for answer in (*self.class_names, ""))]
            for name in self.class_names
            if name in occurring
        ]


def _row(result: FileResult, label: str, correct: bool | None) -> list[str]:
    right = {None: "", True: "yes", False: "no"}[correct]
    if result.prediction is None:
        return [result.name, "", "", "", label, right, str(result.error)]
    prediction = result.prediction
    confidence, note = f"{prediction.confidence:.4f}", " or ".join(prediction.candidates)
    return [result.name, prediction.label, confidence, prediction.verdict, label, right, note]


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
