"""Labelled pictures that the operator sends: every one checked before any is kept."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from serving.core.errors import Refused
from serving.prediction.predict import FileResult, predict_many
from serving.storage.records import Correction, ReviewState, digest_prefix, image_digest
from serving.uploads.file_labels import labels_in
from serving.uploads.zips import UploadedFile

if TYPE_CHECKING:
    from experiments.inference.predictions import Prediction
    from model_loader import Classifier

MAX_PIXELS = 20_000_000_000  # of one upload, decoded: 20,000 photos of a megapixel
TOLD_EVERY = 50  # pictures, on the progress bar
Told = Callable[[int], None]
"""Is told how many pictures have been read."""


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """One picture that can be kept: what it shows, and what the Production model says of it."""

    name: str
    label: str
    said: "Prediction"  # its image too, uint8 [H, W, C]

    @property
    def contradicted(self) -> bool:
        """Whether the model is sure that it shows something else, or nothing it knows."""
        return self.said.verdict in ("sure", "rejected") and self.said.label != self.label


@dataclass(frozen=True, eq=False)
class CheckedUpload:
    """What became of an upload's files. `faults`: name -> what is wrong with it, in words."""

    pictures: Sequence[LabelledPicture] = ()
    faults: dict[str, str] = field(default_factory=dict)
    duplicates: Counter[str] = field(default_factory=Counter)  # by where the other one is
    compared: bool = True  # with the data set's own training images

    def counts(self, class_names: Sequence[str]) -> dict[str, int]:
        """class name -> how many pictures can be kept."""
        found = Counter(each.label for each in self.pictures)
        return {name: found[name] for name in class_names}

    @property
    def contradicted(self) -> list[LabelledPicture]:
        """The pictures whose label the model contradicts with confidence."""
        return [each for each in self.pictures if each.contradicted]


def check_upload(
    classifier: "Classifier",
    files: Iterable[UploadedFile],
    label: str | None,
    kept: set[str],
    published: np.ndarray | None,
    told: Told = lambda _: None,
) -> CheckedUpload:
    """files: pictures, and maybe one CSV of names and labels. label: of all of them; None: as the CSV, else folders and
    names say. kept: digests of the images in the database. published: uint64, the sorted marks of the data set's own
    training images; None if they are not here. Raises Refused for an upload that makes no sense as a whole."""
    tables: list[UploadedFile] = []
    pictures = _without_tables(files, tables)
    readings = list(_counted(predict_many(classifier, pictures, max_pixels=MAX_PIXELS), told))
    if not readings:
        raise _bad_upload("There are no pictures in this.", "Choose pictures or a zip of them.")
    names = classifier.bundle.class_names
    labels, faults = _labels([each.name for each in readings], label, tables, names)
    good = [_labelled(each, labels, faults, names) for each in readings]
    unique, duplicates = _without_duplicates([each for each in good if each], faults, kept, published)
    return CheckedUpload(unique, faults, duplicates, published is not None)


def as_corrections(
    checked: CheckedUpload, dataset: str, upload: str, client: str, contradicted: ReviewState
) -> list[Correction]:
    """The pictures as training data: accepted, but for those that the model contradicts, which are `contradicted`
    (dropped ones are left out). upload: its id."""
    states = [contradicted if each.contradicted else "accepted" for each in checked.pictures]
    return [
        Correction(
            dataset=dataset,
            source="upload",
            client=client,
            request_id=upload,
            position=position,
            model_version=each.said.model_version,
            given=each.said.label,
            confidence=each.said.confidence,
            proposed=each.label,
            image=each.said.image.tobytes(),
            state=state,
        )
        for position, (each, state) in enumerate(zip(checked.pictures, states, strict=True))
        if state != "dropped"
    ]


def _without_tables(files: Iterable[UploadedFile], tables: list[UploadedFile]) -> Iterator[UploadedFile]:
    for file in files:
        if file.name.lower().endswith(".csv"):
            tables.append(file)
        else:
            yield file


def _counted(readings: Iterable[FileResult], told: Told) -> Iterator[FileResult]:
    for number, reading in enumerate(readings, 1):
        if number % TOLD_EVERY == 0:
            told(number)
        yield reading


def _labels(
    names: Sequence[str], label: str | None, tables: Sequence[UploadedFile], class_names: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """name -> label, and the faults of the table."""
    if label is not None:
        return dict.fromkeys(names, label), {}
    if not tables:
        return dict(zip(names, labels_in(names, class_names), strict=True)), {}
    if len(tables) > 1:
        raise _bad_upload("There are several CSV files.", "Send one, with a file name and a label in each row.")
    sent, by_file = set(names), {PurePosixPath(name).name: name for name in names}
    rows = [
        (name if name in sent else by_file.get(PurePosixPath(name).name, name), of) for name, of in _rows(tables[0])
    ]
    if rows and rows[0][0] not in sent and rows[0][1].lower() not in map(str.lower, class_names):
        del rows[0]  # the heading
    missing = {name: "The CSV names this file, but it was not sent." for name, _ in rows if name not in sent}
    if len(missing) == len(dict(rows)):
        raise _bad_upload("The CSV names none of the files.", "Write a file name and its label in each row.")
    return dict(rows), missing


def _rows(table: UploadedFile) -> list[tuple[str, str]]:
    """File names and labels of a CSV. Raises Refused."""
    if table.error:
        raise _bad_upload(f"{table.name}: {table.error.message}", table.error.hint)
    try:
        rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad_upload(f"The CSV can't be read ({error}).", "Save it as UTF-8, with commas.") from None
    return [(row[0].strip(), row[1].strip()) for row in rows if len(row) > 1]


def _bad_upload(message: str, hint: str) -> Refused:
    return Refused(422, "bad_upload", message, hint)


def _labelled(
    reading: FileResult, labels: dict[str, str], faults: dict[str, str], class_names: Sequence[str]
) -> LabelledPicture | None:
    """None, and a fault noted, for what can't be kept."""
    known = {name.lower(): name for name in class_names}
    given = labels.get(reading.name, "")
    if reading.prediction is None:
        faults[reading.name] = str(reading.error)
    elif reading.prediction.image is None:
        faults[reading.name] = "Nothing is on this picture."
    elif given.lower() not in known:
        told = f"{given[:40]!r} is no label" if given else "It has no label"
        faults[reading.name] = f"{told}. Labels: {', '.join(class_names)}."
    else:
        return LabelledPicture(reading.name, known[given.lower()], reading.prediction)
    return None


def _without_duplicates(
    pictures: Sequence[LabelledPicture], faults: dict[str, str], kept: set[str], published: np.ndarray | None
) -> tuple[list[LabelledPicture], Counter[str]]:
    """The first of each image. The same image under two labels is a fault."""
    first: dict[str, LabelledPicture] = {}
    duplicates: Counter[str] = Counter()
    for picture in pictures:
        name = image_digest(picture.said.image.tobytes())
        if (other := first.setdefault(name, picture)) is picture:
            continue
        if other.label == picture.label:
            duplicates["this upload"] += 1
        else:
            faults[picture.name] = f"It is {other.name} again, which has another label ({other.label})."
    theirs = np.empty(0, np.uint64) if published is None else published
    marks = np.array([digest_prefix(each.said.image.tobytes()) for each in first.values()], np.uint64)
    unique = []
    for (name, picture), is_published in zip(first.items(), np.isin(marks, theirs), strict=True):
        if name in kept:
            duplicates["what is kept"] += 1
        elif is_published:
            duplicates["the data set itself"] += 1
        else:
            unique.append(picture)
    return unique, duplicates
