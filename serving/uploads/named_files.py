"""Which picture of an upload a table means by a file name."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from serving.uploads.names import DRIVE, tidy

DEPTH = 5  # the last parts of a path, which are compared
EXTENSION = re.compile(r"\.\w{1,5}$")
NOT_SENT = "The CSV names this file, but it was not sent."
Index = dict[str, list[int]]  # end of a path -> positions of the pictures whose path ends so
Claim = tuple[tuple[int, int], str, str]  # likeness, file name and label of a row


class NamedFiles:
    """The pictures of an upload, found by what their paths end with: as written, without extension and the zeros before
    a number, and without the letters that another encoding changes."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._indices: list[tuple[Callable[[str], list[str]], Index]] = []
        for parts_of in (_written, _bare, _plain):
            index: Index = defaultdict(list)
            for position, name in enumerate(names):
                for end in _ends(parts_of(name)):
                    index[end].append(position)
            self._indices.append((parts_of, dict(index)))

    def has(self, name: str) -> bool:
        """Whether there is a picture of this name, in whatever folder."""
        parts_of, index = self._indices[-1]
        return parts_of(name)[-1] in index

    def labelled(self, rows: Sequence[tuple[str, str]]) -> tuple[dict[int, str], dict[str, str]]:
        """Position -> label, and the faults, name -> what is wrong, of rows of file name and label."""
        claims = defaultdict[int, list[Claim]](list)
        faults: dict[str, str] = {}
        for name, label in rows:
            positions, likeness = self._find(name)
            if len(positions) == 1:
                claims[positions[0]].append((likeness, name, label))
            elif positions:
                faults[tidy(name)] = f"{len(positions)} pictures are called so. Write their folders into the CSV, too."
            else:
                faults[tidy(name)] = NOT_SENT
        labels = {}
        for position, rivals in claims.items():
            most = max(likeness for likeness, _, _ in rivals)
            given = sorted({label for likeness, _, label in rivals if likeness == most})
            faults |= {tidy(name): NOT_SENT for likeness, name, _ in rivals if likeness < most}
            if len(given) == 1:
                labels[position] = given[0]
            else:
                faults[self._names[position]] = f"The CSV gives it two labels, {given[0]:.40} and {given[1]:.40}."
        return labels, faults

    def _find(self, name: str) -> tuple[list[int], tuple[int, int]]:
        """Positions of the pictures whose path has the longest end in common with this one, and how much is common:
        more is higher."""
        for likeness, (parts_of, index) in zip((2, 1, 0), self._indices, strict=True):
            for end in _ends(parts_of(name)):
                if positions := index.get(end):
                    return positions, (likeness, end.count("/"))
        return [], (0, 0)


def _ends(parts: list[str]) -> list[str]:
    """The ends of a path, the longest first; one with a slash before it is the whole path."""
    parts = ["", *parts][-DEPTH:]
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _written(name: str) -> list[str]:
    """The parts of a path, at least one, without letter case, and without a drive as of Windows."""
    parts = DRIVE.sub("", tidy(name).lower(), count=1).split("/")
    return [part for part in parts if part not in ("", ".")] or [""]


def _bare(name: str) -> list[str]:
    *folders, file = _written(name)
    file = EXTENSION.sub("", file)
    return [*folders, file.lstrip("0") or "0" if file.isdecimal() else file]


def _plain(name: str) -> list[str]:
    return [re.sub(r"[^\x00-\x7f]+", "?", part) for part in _bare(name)]
