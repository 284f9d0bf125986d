"""Check an upload of labelled pictures, all of them before any is kept."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from experiments.data.specs import SPECS
from experiments.inference.predictions import Prediction
from serving.core.errors import Refused
from serving.prediction.predict import FileResult
from serving.prediction.prepare import Wanted
from serving.services import Services
from serving.storage.records import Correction, ReviewState, digest_prefix, image_digest
from serving.uploads.contents import Contents, Labels
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
    notes: Sequence[str] = ()  # how the upload was understood, as sentences

    @property
    def contradicted(self) -> list[LabelledPicture]:
        """The pictures whose label the model contradicts with confidence."""
        return [picture for picture in self.pictures if picture.contradicted]


async def check_upload(
    services: Services,
    dataset: str,
    client: str,
    files: Iterable[UploadedFile],
    label: str | None,
    kept: set[str],
    known: np.ndarray | None,
) -> CheckedUpload:
    """Find the pictures of an upload that can be kept as training data.

    client: who sent it. files: as `Contents` takes them. label: of all pictures; None: as `Contents` decides. kept:
    digests of the images in the database. known: `known_images` of the data set. Raises Refused if the upload
    as a whole makes no sense.
    """
    contents = Contents(files, services.training_limits)
    results = await services.batcher.predict_many(Wanted(dataset), contents, client, MAX_PIXELS)
    if not results:
        raise _bad_upload("There are no pictures in this upload.", "Choose pictures or a zip of them.")
    return await asyncio.to_thread(_check, SPECS[dataset].class_names, results, contents, label, kept, known)


def _check(
    class_names: Sequence[str],
    results: Sequence[FileResult],
    contents: Contents,
    label: str | None,
    kept: set[str],
    known: np.ndarray | None,
) -> CheckedUpload:
    if label is None:
        names, answers = [result.name for result in results], [result.sure_label for result in results]
        labels = contents.labels(names, class_names, answers)
    else:
        chosen = label if label in class_names else ""
        labels = Labels([chosen] * len(results), notes=contents.notes)
    faults = dict(labels.faults)
    pictures = list(_usable(results, labels.labels, class_names, faults))
    unique, duplicates = _without_duplicates(pictures, faults, kept, known)
    return CheckedUpload(unique, faults, duplicates, known is not None, labels.notes)


def as_corrections(
    checked: CheckedUpload, dataset: str, upload_id: str, client: str, contradicted: ReviewState, shown: bool = False
) -> list[Correction]:
    """The pictures as training data: accepted, but for those the model contradicts, which get the state
    `contradicted`; dropped ones are left out. shown: whether those were shown to the operator first, so that accepting
    them is an answer to the question whether they are right."""
    answered = time.time() if shown and contradicted == "accepted" else None
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
            asked_at=answered if picture.contradicted else None,
            confirmed_at=answered if picture.contradicted else None,
        )
        for position, (picture, state) in enumerate(zip(checked.pictures, states, strict=True))
        if state != "dropped"
    ]


def _bad_upload(message: str, hint: str) -> Refused:
    return Refused(422, "bad_upload", message, hint)


def _usable(
    results: Sequence[FileResult], labels: Sequence[str], class_names: Sequence[str], faults: dict[str, str]
) -> Iterator[LabelledPicture]:
    """Yield what can be kept, and add the others to `faults`."""
    for result, label in zip(results, labels, strict=True):
        if result.prediction is None:
            faults[result.name] = str(result.error)
        elif result.prediction.image is None:
            faults[result.name] = "This picture is blank."
        elif label:
            yield LabelledPicture(result.name, label, result.prediction, result.prediction.image)
        else:
            faults.setdefault(result.name, f"It has no label. Labels: {', '.join(class_names)}.")


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
