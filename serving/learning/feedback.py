"""Keep visitors' feedback on answers as corrections pending review."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from experiments.data.specs import DEFAULT_DATASET, SPECS, DatasetSpec
from experiments.numbers.reading import NO_DIGIT
from serving.core.clients import network_of
from serving.core.errors import Refused
from serving.prediction.prepare import Wanted
from serving.services import Services
from serving.storage.digits import digits_of
from serving.storage.records import LABEL_LENGTH, Correction, CorrectionFilter, Entry

SIDE = 400  # px, longest side of a drawing stored with a correction
CLIENT_SHARE = 10  # one client's corrections fill a tenth of the room for pending ones at most
NETWORK_SHARE = 3  # and one network's a third: clients enough for a school, and it takes more than two to fill the room


@dataclass(frozen=True, eq=False)
class Feedback:
    """A label for the image of the answer that `request_id` and `position` name, or else for `image`.

    `label`: None confirms the model's; of a number all its digits, with its rows in lines or with spaces between.
    """

    dataset: str
    label: str | None
    source: Literal["page", "api"]
    request_id: str = ""
    position: int = 0
    image: np.ndarray | None = None  # uint8 [H, W, C]; of a number [N * H, W, C], its digits' one below another
    drawing: bytes | None = None  # PNG


@dataclass(frozen=True)
class Kept:
    """Feedback as it is kept: the answer's label and the right one, "" for none and with a line for each row of a
    number; and the corrections that it became, one for each digit that was read wrong, or all if none was."""

    dataset: str
    given: str
    proposed: str
    corrections: Sequence[Correction]


@dataclass(frozen=True, eq=False)
class _Answer:
    """What was answered, and the label, image and confidence of each digit; confidence: of a number in the history that
    of the whole, below which none of its digits is."""

    label: str
    model_version: str
    digits: Sequence[tuple[str, bytes, float]]
    corrected: bool = False


class UnknownAnswerError(Refused):
    """No answer is kept under this id, or not yet: another replica writes its own within a second."""

    def __init__(self) -> None:
        super().__init__(404, "unknown_answer", "No answer is kept under this id.", "Send the image with the label.")


async def small_drawing(services: Services, request_id: str, client: str) -> bytes | None:
    """Return the drawing behind an answer as a PNG of at most SIDE px; None if it is no longer kept."""
    sheets = services.recent_drawings.sheets(request_id)
    if not sheets:
        return None
    try:
        wanted = Wanted(DEFAULT_DATASET, preview=SIDE)
        return (await services.worker_pool.prepare_one(wanted, sheets, client)).preview
    except Refused:
        return None


def keep_feedback(services: Services, feedback: Feedback, client: str) -> Kept:
    """Keep feedback durably, and return what it became. Raises Refused, StoreError."""
    spec, corrections_in_database = SPECS[feedback.dataset], services.corrections
    right = None if feedback.label is None else _labels(spec, feedback.label)
    answer = _answer(services, feedback, spec)
    given = [label for label, _, _ in answer.digits]
    proposed = given if right is None else _aligned(right, given)
    if not any(proposed):
        raise Refused(422, "no_label", "The answer has no label to confirm.", "Send the right label.")
    text = answer.label if feedback.label is None else "\n".join(feedback.label.split())
    corrections = _corrections(services, feedback, client, answer, proposed)
    _check_room(services, client, feedback.dataset, len(corrections))
    if not corrections_in_database.add(corrections, text if len(given) > 1 else None):
        raise Refused(
            409, "reviewed", "Your earlier correction of this image has been reviewed.", "It can't be changed."
        )
    return Kept(feedback.dataset, answer.label, text, corrections)


def _labels(spec: DatasetSpec, label: str) -> list[str]:
    """The right label of each digit. Raises Refused."""
    if label in spec.class_names:
        return [label]
    digits = [character for character in "".join(label.split()) if character != NO_DIGIT]
    if spec.has_numbers and digits and len(digits) <= LABEL_LENGTH and set(digits) <= set(spec.class_names):
        return digits
    numbers = " A number is its digits, with spaces between its rows." if spec.has_numbers else ""
    raise Refused(422, "wrong_label", "There is no such label.", f"Labels: {', '.join(spec.class_names)}.{numbers}")


def _aligned(right: Sequence[str], given: Sequence[str]) -> list[str]:
    """The right label of each image of an answer, "" for what is no digit. Raises Refused where the answer has more or
    fewer digits: then none of its images is known to show one of these."""
    if len(right) == len(given):
        return list(right)
    named = [place for place, label in enumerate(given) if label]
    if len(right) != len(named):
        message = f"The answer has {_digits(len(named) or len(given))} and this label {_digits(len(right))}: the "
        message += "picture was split wrongly, so no image is known to show one of them, and nothing is kept."
        raise Refused(422, "wrong_split", message, "Send each digit as a picture of its own.")
    labels = [""] * len(given)
    for place, label in zip(named, right, strict=True):
        labels[place] = label
    return labels


def _digits(count: int) -> str:
    return f"{count} digit{'s' * (count != 1)}"


def _corrections(
    services: Services, feedback: Feedback, client: str, answer: _Answer, proposed: Sequence[str]
) -> list[Correction]:
    """Of the digits that were read wrong; of all if none was, or if the answer was corrected otherwise before."""
    labelled = [(digit, label) for digit, label in zip(answer.digits, proposed, strict=True) if label]
    changed = [] if answer.corrected else [(digit, label) for digit, label in labelled if digit[0] != label]
    return [
        Correction(
            dataset=feedback.dataset,
            source=feedback.source,
            client=services.client_ids.id_of(client),
            network=services.client_ids.id_of(network_of(client)),
            request_id=feedback.request_id,
            position=feedback.position,
            model_version=answer.model_version,
            given=given,
            confidence=confidence,
            proposed=label,
            image=image,
            drawing=feedback.drawing
            if len(proposed) == 1
            else None,  # which shows all digits, and would be kept with each
        )
        for (given, image, confidence), label in changed or labelled
    ]


def _check_room(services: Services, client: str, dataset: str, added: int) -> None:
    """Raises Refused when too many are pending; none is ever dropped for a new one."""
    room, pending = services.settings.max_pending_corrections, CorrectionFilter(dataset, state="pending")
    of_client = replace(pending, client=services.client_ids.id_of(client))
    of_network = replace(pending, network=services.client_ids.id_of(network_of(client)))
    for counted, share in ((of_client, CLIENT_SHARE), (of_network, NETWORK_SHARE), (pending, 1)):
        if services.corrections.count(counted) + added > max(1, room // share):
            message = "Too many corrections are pending review."
            raise Refused(503, "quarantine_full", message, "Try again another day.", 3600)


def _answer(services: Services, feedback: Feedback, spec: DatasetSpec) -> _Answer:
    """What the feedback is about. Raises Refused."""
    entry = _recorded(services, feedback) if feedback.request_id else None
    if entry is not None:
        if entry.image is None:
            message = "Nothing was drawn in this image, or far more than a number."
            raise Refused(422, "blank", message, "Send another.")
        digits = [
            (label, image, entry.confidence) for label, image in digits_of(entry.label, entry.image, spec.image_shape)
        ]
        return _Answer(entry.label, entry.model_version, digits, entry.corrected is not None)
    if feedback.image is None:
        raise UnknownAnswerError
    count, rest = divmod(feedback.image.size, math.prod(spec.image_shape))
    if rest or not 0 < count <= LABEL_LENGTH:
        raise Refused(422, "no_answer", "This is not the image of an answer.", "Submit something first.")
    answers = services.classifier(feedback.dataset).predict(feedback.image.reshape(count, *spec.image_shape))
    images = [b"" if answer.image is None else answer.image.tobytes() for answer in answers]
    read = [(answer.label, image, answer.confidence) for answer, image in zip(answers, images, strict=True)]
    label = answers[0].label if count == 1 else "".join(answer.label or NO_DIGIT for answer in answers)
    return _Answer(label, answers[0].model_version, read)


def _recorded(services: Services, feedback: Feedback) -> Entry | None:
    """Find the answer in the history, which is written first: the answer may still be queued."""
    if services.recorder is None:
        return None
    services.recorder.flush()
    entry = services.recorder.history.find(feedback.request_id, feedback.position)
    return entry if entry is not None and entry.dataset == feedback.dataset else None
