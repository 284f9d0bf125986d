"""Known wrong or doubtful labels of the official test sets."""

from dataclasses import dataclass

SOURCE = (
    "five people each in Northcutt et al., Pervasive Label Errors in Test Sets (2021), github.com/cleanlab/label-errors"
)


@dataclass(frozen=True)
class LabelError:
    """The published label, and what most annotators chose instead; empty where they disagreed."""

    published: str
    consensus: str


KNOWN: dict[str, dict[int, LabelError]] = {
    "mnist": {
        947: LabelError("8", "9"),
        1621: LabelError("0", "6"),
        1901: LabelError("9", "4"),
        2130: LabelError("4", ""),
        2462: LabelError("2", "0"),
        2597: LabelError("5", "3"),
        2654: LabelError("6", ""),
        3520: LabelError("6", ""),
        3558: LabelError("5", "0"),
        5937: LabelError("5", "3"),
        6651: LabelError("0", "6"),
        6783: LabelError("1", "6"),
        8527: LabelError("4", ""),
        9679: LabelError("6", ""),
        9729: LabelError("5", "6"),
    }
}
"""Labels that fewer than three of five annotators confirmed, by data set and index in its official test set."""


def note(dataset: str, index: int, label: str) -> str:
    """A note on the published label of a test image, or "" if it is not known to be wrong."""
    error = KNOWN.get(dataset, {}).get(index)
    if error is None or error.published != label:
        return ""
    return f"label error: people see {error.consensus}" if error.consensus else "doubtful label: people disagree"
