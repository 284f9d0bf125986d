"""Test labels that are known to be wrong or doubtful."""

from dataclasses import dataclass

SOURCE = (
    "five people each in Northcutt et al., Pervasive Label Errors in Test Sets (2021), github.com/cleanlab/label-errors"
)


@dataclass(frozen=True)
class LabelError:
    """The published label, and what most of the people asked saw instead; empty where they did not agree."""

    given: str
    seen: str


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
"""By data set and place in its official test set: what fewer than three of five people confirmed."""


def note(dataset: str, place: int, given: str) -> str:
    """What is known of the label of a test image, empty if nothing is."""
    known = KNOWN.get(dataset, {}).get(place)
    if known is None or known.given != given:
        return ""
    return f"label error: people see {known.seen}" if known.seen else "doubtful label: people disagree"
