"""Known wrong or doubtful labels of the official test sets."""

SOURCE = (
    "five people each in Northcutt et al., Pervasive Label Errors in Test Sets (2021), github.com/cleanlab/label-errors"
)


KNOWN: dict[str, dict[int, tuple[str, str]]] = {
    "mnist": {
        947: ("8", "9"),
        1621: ("0", "6"),
        1901: ("9", "4"),
        2130: ("4", ""),
        2462: ("2", "0"),
        2597: ("5", "3"),
        2654: ("6", ""),
        3520: ("6", ""),
        3558: ("5", "0"),
        5937: ("5", "3"),
        6651: ("0", "6"),
        6783: ("1", "6"),
        8527: ("4", ""),
        9679: ("6", ""),
        9729: ("5", "6"),
    }
}
"""By data set and index in its official test set, labels that fewer than three of five annotators confirmed: the
published one, and what most annotators chose instead or "" where they disagreed."""


def note(dataset: str, index: int, label: str) -> str:
    """A note on the published label of a test image, or "" if it is not known to be wrong."""
    published, consensus = KNOWN.get(dataset, {}).get(index, ("", ""))
    if published != label:
        return ""
    return f"label error: people see {consensus}" if consensus else "doubtful label: people disagree"
