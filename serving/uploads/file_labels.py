"""Labels of pictures from the names of their folders or files, decided once for all files of an upload."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
PREFIXES = (
    "class", "cls", "label", "digit", "number", "num", "category", "target", "klasse", "ziffer", "zahl", "chiffre",
    "classe", "clase", "cifra",
)  # fmt: skip
NUMBER = re.compile(r"0*([0-9]+)([.,]0*)?")
WORD = re.compile(r"[^\W\d_]+|[0-9]+")
PREFIXED = re.compile(rf"(?<![a-z])(?:{'|'.join(PREFIXES)})[-\s_=:.#]*0*([0-9]+)")
COPY = re.compile(r"( ?\([0-9]+\))+$")  # what browsers and Windows add to a second file of the same name
SEPARATORS = re.compile(r"[-_\s.,=#+()\[\]]+")
POINT = re.compile(r"[.,]0*$")
DOUBTED = 0.1  # share of sure answers that are as labelled, up to which the labels are doubted
BELIEVED = 0.5  # likewise, from which even numbers in a row are labels


def class_in(text: str, class_names: Sequence[str]) -> str:
    """The class that a text as a whole names, "" for none: `7`, `07`, `7.0`, `seven`, `class_7`, `7 - seven`."""
    known = _known(class_names)
    text = text.strip(" \t'\"\N{NO-BREAK SPACE}").lower()
    if text in known:
        return known[text]
    if number := NUMBER.fullmatch(text):
        return known.get(number[1], "")
    if not text[:1].isalnum():  # as of "-7"
        return ""
    found = {known.get(word.lstrip("0") or "0" if word.isdigit() else word, "") for word in WORD.findall(text)
             if word not in PREFIXES}  # fmt: skip
    return found.pop() if len(found) == 1 else ""


def number_in(text: str, class_names: Sequence[str]) -> str:
    """The number that a text as a whole is, with a line for each row, "" for none: `42`, `42.0`, `42 17`, `007`."""
    rows = POINT.sub("", text.strip(" \t'\"\N{NO-BREAK SPACE}")).split()
    return "\n".join(rows) if set("".join(rows)) <= set(class_names) else ""


def label_in(text: str, class_names: Sequence[str], numbers: bool) -> str:
    """The class that a text names, or else, with `numbers`, the number that it is; "" for none."""
    return class_in(text, class_names) or (number_in(text, class_names) if numbers else "")


def labels_in_cells(cells: set[str], class_names: Sequence[str], numbers: bool) -> dict[str, str]:
    """The label that each cell of a table names, "" for none. Where some are numbers of several digits, 07 is one, too;
    elsewhere it is the class 7."""
    classes = {cell: class_in(cell, class_names) for cell in cells}
    read = {cell: number_in(cell, class_names) for cell in cells} if numbers else {}
    if not any(number and not classes[cell] for cell, number in read.items()):
        return classes
    return {cell: number or classes[cell] for cell, number in read.items()}


def labels_in(
    names: Sequence[str],
    class_names: Sequence[str],
    answers: Sequence[str] = (),
    read: Sequence[str] | None = None,
) -> list[str]:
    """One class name for each file name, "" where it carries none.

    answers: what the model is sure of, "" where it is not; none at all: not known. read: all its answers, where labels
    may be numbers. A folder that names a class labels what is in it. Of the numbers in the other files' names one is
    taken for the label if it names a class in all of them and is no running number; a running one only if half of the
    sure answers or more say so; and one of more digits if more than a tenth of the answers do.
    """
    known = _known(class_names)
    labels = _by_folder(names, class_names)
    others = [position for position, label in enumerate(labels) if not label]
    stems = [COPY.sub("", PurePosixPath(names[position]).stem.lower()) for position in others]
    chosen = None
    if read is not None:
        folders = [PurePosixPath(names[position]).parent.name for position in others]
        chosen = _numbers(folders, stems, class_names, [read[position] for position in others])
    columns = [column for column in _columns(stems, known) if all(column)]
    chosen = chosen or next((column for column in columns if not _is_run(column)), None)
    if chosen is None and answers:
        sure = [answers[position] for position in others]
        chosen = next((column for column in columns if (_agreement(column, sure) or 0) >= BELIEVED), None)
    for position, label in zip(others, chosen or (), strict=False):
        labels[position] = label
    return labels


def seem_wrong(labels: Sequence[str], answers: Sequence[str]) -> bool:
    """Whether nearly all labels are other than the sure answers. Both "" where there is none."""
    share = _agreement(labels, answers)
    return share is not None and share <= DOUBTED


def _agreement(labels: Sequence[str], answers: Sequence[str]) -> float | None:
    pairs = [(label, answer) for label, answer in zip(labels, answers, strict=True) if label and answer]
    return sum(label == answer for label, answer in pairs) / len(pairs) if pairs else None


def _known(class_names: Sequence[str]) -> dict[str, str]:
    """Lower-case name or number -> class."""
    known = {name.lower(): name for name in class_names}
    return known | {word: known[str(number)] for number, word in enumerate(NUMBERS) if str(number) in known}


def _by_folder(names: Sequence[str], class_names: Sequence[str]) -> list[str]:
    """The class that the nearest folder names. Numbers of which most are no class, as of writers, count nowhere."""
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    classes = {text: class_in(text, class_names) for text in {text for parts in folders for text in parts}}
    for depth in range(max(map(len, folders), default=0)):
        numbers = {parts[depth] for parts in folders if depth < len(parts) and parts[depth].isdecimal()}
        if sum(not classes[number] for number in numbers) * 2 > len(numbers):
            classes |= dict.fromkeys(numbers, "")
    return [next((classes[text] for text in reversed(parts) if classes[text]), "") for parts in folders]


def _columns(stems: Sequence[str], known: dict[str, str]) -> Iterator[list[str]]:
    """Where in the file names the label may be, the likeliest place first: for each a class for each name, or ""."""
    if not stems:
        return
    parts = [[known.get(part, "") for part in SEPARATORS.split(stem) if part] for stem in stems]
    yield [_spoken(stem, known) for stem in stems]
    for place in (0, -1, 1, -2):
        yield [part[place] if -len(part) <= place < len(part) else "" for part in parts]
    yield [(part[0] or part[-1]) if part else "" for part in parts]


def _numbers(
    folders: Sequence[str], stems: Sequence[str], class_names: Sequence[str], read: Sequence[str]
) -> list[str] | None:
    """A number for each file, from where in its path the answers say that it is; None if they say so nowhere. By chance
    a number of two digits or more is hardly ever an answer."""
    parts = [
        [folder, *(part for part in SEPARATORS.split(stem) if part)]
        for folder, stem in zip(folders, stems, strict=True)
    ]
    for place in (0, 1, -1, 2, -2):
        column = [number_in(part[place], class_names) if -len(part) <= place < len(part) else "" for part in parts]
        long = [label if len(label) > 1 else "" for label in column]
        if all(column) and (_agreement(long, read) or 0) > DOUBTED:
            return column
    return None


def _spoken(stem: str, known: dict[str, str]) -> str:
    """The only class in words, as `seven` or `digit7`."""
    found = {known[word] for word in WORD.findall(stem) if not word.isdigit() and word in known}
    found |= {known.get(number, "") for number in PREFIXED.findall(stem)}
    return found.pop() if len(found) == 1 else ""


def _is_run(column: Sequence[str]) -> bool:
    """Whether the labels number the files: each once, without gaps."""
    if len(column) < 2 or not all(label.isdigit() for label in column):
        return False
    numbers = sorted(map(int, column))
    return numbers == list(range(numbers[0], numbers[0] + len(numbers))) and (numbers[0] < 2 or len(numbers) > 2)
