"""Check an upload of labelled pictures, all of them before any is kept."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from experiments.inference.predictions import Prediction
from model_loader import Classifier
from serving.core.errors import Refused
from serving.prediction.predict import FileResult, predict_many
from serving.storage.records import Correction, ReviewState, digest_prefix, image_digest
from serving.uploads.file_labels import labels_in
from serving.uploads.zips import UploadedFile

MAX_PIXELS = 20_000_000_000  # of one upload, decoded: 20,000 photos of a megapixel


@dataclass(frozen=True, eq=False)
class LabelledPicture:
    """A picture that can be kept, with its label and the Production model's prediction."""

    name: str
    label: str
    prediction: Prediction
    image: np.ndarray  # uint8 [H, W, C], preprocessed

    @property
    def contradicted(self) -> bool:
        """Whether the model is sure of another label, or rejects the picture."""
        return self.prediction.verdict in ("sure", "rejected") and self.prediction.label != self.label


@dataclass(frozen=True, eq=False)
class CheckedUpload:
    """The outcome of a check. `faults`: name -> what is wrong with the file, as a sentence."""

    pictures: Sequence[LabelledPicture] = ()
    faults: dict[str, str] = field(default_factory=dict)
    duplicates: Counter[str] = field(default_factory=Counter)  # by where the other one is
    compared: bool = True  # with the data set's own images

    @property
    def contradicted(self) -> list[LabelledPicture]:
        """The pictures whose label the model contradicts with confidence."""
        return [picture for picture in self.pictures if picture.contradicted]


def check_upload(
    classifier: Classifier,
    files: Iterable[UploadedFile],
    label: str | None,
    kept: set[str],
    known: np.ndarray | None,
) -> CheckedUpload:
    """Find the pictures of an upload that can be kept as training data.

    files: pictures, and perhaps one CSV of file names and labels. label: of all pictures; None: from the CSV, else
    from folders and file names. kept: digests of the images in the database. known: `known_images` of the data set.
    Raises Refused if the upload as a whole makes no sense.
    """
    tables: list[UploadedFile] = []
    results = list(predict_many(classifier, _pictures(files, tables), max_pixels=MAX_PIXELS))
    if not results:
        raise _bad_upload("There are no pictures in this upload.", "Choose pictures or a zip of them.")
    class_names = classifier.bundle.class_names
    labels, faults = _labels([result.name for result in results], label, tables, class_names)
    pictures = list(_usable(results, labels, class_names, faults))
    unique, duplicates = _without_duplicates(pictures, faults, kept, known)
    return CheckedUpload(unique, faults, duplicates, known is not None)


def as_corrections(
    checked: CheckedUpload, dataset: str, upload_id: str, client: str, contradicted: ReviewState
) -> list[Correction]:
    """The pictures as training data: accepted, but for those the model contradicts, which get the state
    `contradicted`; dropped ones are left out."""
    states = [contradicted if picture.contradicted else "accepted" for picture in checked.pictures]
    return [
        Correction(
            dataset=dataset,
            source="upload",
            client=client,
            request_id=upload_id,
            position=position,
            model_version=picture.prediction.model_version,
            given=picture.prediction.label,
            confidence=picture.prediction.confidence,
            proposed=picture.label,
            image=picture.image.tobytes(),
            state=state,
        )
        for position, (picture, state) in enumerate(zip(checked.pictures, states, strict=True))
        if state != "dropped"
    ]


def _pictures(files: Iterable[UploadedFile], tables: list[UploadedFile]) -> Iterator[UploadedFile]:
    """Yield all but CSV files, which are appended to `tables`."""
    for file in files:
        if file.name.lower().endswith(".csv"):
            tables.append(file)
        else:
            yield file


def _labels(
    names: Sequence[str], label: str | None, tables: Sequence[UploadedFile], class_names: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return name -> label, and the faults of the table."""
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
    """Read the file names and labels of a CSV. Raises Refused."""
    if table.error:
        raise _bad_upload(f"{table.name}: {table.error.message}", table.error.hint)
    try:
        rows = list(csv.reader(io.StringIO(table.content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad_upload(f"The CSV can't be read ({error}).", "Save it as UTF-8, with commas.") from None
    return [(row[0].strip(), row[1].strip()) for row in rows if len(row) > 1]


def _bad_upload(message: str, hint: str) -> Refused:
    return Refused(422, "bad_upload", message, hint)


def _usable(
    results: Iterable[FileResult], labels: dict[str, str], class_names: Sequence[str], faults: dict[str, str]
) -> Iterator[LabelledPicture]:
    """Yield what can be kept, and add the others to `faults`."""
    known = {name.lower(): name for name in class_names}
    for result in results:
        label = labels.get(result.name, "")
        if result.prediction is None:
            faults[result.name] = str(result.error)
        elif result.prediction.image is None:
            faults[result.name] = "This picture is blank."
        elif label.lower() not in known:
            problem = f"{label[:40]!r} is no label" if label else "It has no label"
            faults[result.name] = f"{problem}. Labels: {', '.join(class_names)}."
        else:
            yield LabelledPicture(result.name, known[label.lower()], result.prediction, result.prediction.image)


def _without_duplicates(
    pictures: Sequence[LabelledPicture], faults: dict[str, str], kept: set[str], known: np.ndarray | None
) -> tuple[list[LabelledPicture], Counter[str]]:
    """Keep the first of each image. The same image under two labels is a fault."""
    first: dict[str, LabelledPicture] = {}
    duplicates: Counter[str] = Counter()
    for picture in pictures:
        other = first.setdefault(image_digest(picture.image.tobytes()), picture)
        if other is not picture and other.label == picture.label:
            duplicates["this upload"] += 1
        elif other is not picture:
            faults[picture.name] = f"It is {other.name} again, which has another label ({other.label})."
    prefixes = np.array([digest_prefix(picture.image.tobytes()) for picture in first.values()], np.uint64)
    in_dataset = np.isin(prefixes, [] if known is None else known)
    unique = []
    for (digest, picture), is_known in zip(first.items(), in_dataset, strict=True):
        if digest in kept:
            duplicates["what is kept"] += 1
        elif is_known:
            duplicates["the data set itself"] += 1
        else:
            unique.append(picture)
    return unique, duplicates
