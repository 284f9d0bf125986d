"""The results of a batch summarised: a table, counts of each answer and, where file names carry labels, accuracy."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from experiments.inference.predictions import Prediction
from serving.core.spreadsheets import write_rows
from serving.prediction.predict import FileResult

COLUMNS = ("File", "Answer", "Confidence", "Verdict", "Label", "Right", "Note")
NO_ANSWER = "none"
NOTED = 5  # doubtful digits of a number


@dataclass(frozen=True)
class BatchSummary:
    """Results in the order sent, and their labels, "" where there is none; a number's has a line for each row."""

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
            sentences += self._of_numbers()
        return "\n\n".join([" ".join(sentences), *self.notes])

    def _of_numbers(self) -> list[str]:
        """Where labels are numbers: how many of those are right, and how many of all digits."""
        labelled = [
            (label, result.prediction.label)
            for label, result in zip(self.labels, self.results, strict=True)
            if label and result.prediction
        ]
        numbers = [label == answer for label, answer in labelled if self._is_number(label)]
        if not numbers:
            return []
        digits = sum(len("".join(label.split())) for label, _ in labelled)
        right = sum(_digits_right("".join(label.split()), "".join(answer.split())) for label, answer in labelled)
        of_numbers = f"{100 * sum(numbers) / len(numbers):.2f} % of the {_count(len(numbers), 'whole number')}"
        return [f"That is {of_numbers}, and {100 * right / digits:.2f} % of all {digits:,} digits."]

    def _is_number(self, label: str) -> bool:
        return bool(label) and label not in self.class_names

    def answers(self) -> list[tuple[str, str, int]]:
        """Answer, verdict and how many, for the chart; a number counts by its digits."""
        counts = Counter(
            (answer.label or NO_ANSWER, answer.verdict)
            for result in self.results
            if result.prediction
            for answer in _single(result.prediction)
        )
        return [(answer, verdict, count) for (answer, verdict), count in sorted(counts.items())]

    def confusion(self) -> list[list[str]]:
        """A row for each label that occurs: the label, then how many got each class as answer, then none; "" for 0.
        Numbers are left out."""
        pairs = Counter(
            (label, result.prediction.label)
            for result, label in zip(self.results, self.labels, strict=True)
            if label and result.prediction and not self._is_number(result.prediction.label)
        )
        occurring = {label for label, _ in pairs}
        return [
            [name, *(str(pairs[name, answer] or "") for answer in (*self.class_names, ""))]
            for name in self.class_names
            if name in occurring
        ]


def one_line(label: str) -> str:
    """A number with spaces between its rows."""
    return " ".join(label.split("\n"))


def _row(result: FileResult, label: str, correct: bool | None) -> list[str]:
    right = {None: "", True: "yes", False: "no"}[correct]
    if result.prediction is None:
        return [result.name, "", "", "", one_line(label), right, str(result.error)]
    prediction = result.prediction
    confidence, answer = f"{prediction.confidence:.4f}", one_line(prediction.label)
    return [result.name, answer, confidence, prediction.verdict, one_line(label), right, _note(prediction)]


def _note(prediction: Prediction) -> str:
    """The candidates of an unsure answer, or of the first doubtful digits of a number."""
    if not prediction.digits:
        return " or ".join(prediction.candidates)
    doubtful = [
        f"digit {place}: {' or '.join(digit.answer.candidates)}"
        for place, digit in enumerate(prediction.digits, 1)
        if digit.answer.candidates
    ]
    return ", ".join(doubtful[:NOTED]) if prediction.label else ""


def _single(prediction: Prediction) -> Iterator[Prediction]:
    """The answers to the digits of a number, or the only one."""
    if prediction.digits and prediction.label:
        yield from (digit.answer for digit in prediction.digits)
    else:
        yield prediction


def _digits_right(label: str, answer: str) -> int:
    """How many digits of a label stand in the answer where they should; if it has more or fewer, counted from its
    beginning and from its end."""
    if len(label) == len(answer):
        return sum(map(str.__eq__, label, answer))
    shorter = min(len(label), len(answer))
    first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(label, answer, strict=False)))
    last = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(label[::-1], answer[::-1], strict=False)))
    return min(first + last, shorter)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
