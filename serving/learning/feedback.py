"""What visitors say about answers: checked, bounded, and kept at once until the operator has looked at it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from experiments.data.specs import SPECS
from serving.core.errors import Refused
from serving.storage.records import Correction, CorrectionFilter, Entry

if TYPE_CHECKING:
    from serving.services import Services
    from serving.storage.corrections import Corrections

SHARE = 10  # one client's corrections fill a tenth of the quarantine at most


@dataclass(frozen=True, eq=False)
class Feedback:
    """`label`: what the image shows; None: what the model said is right. The image is that of the answer, which
    `request_id` and `position` name, or else `image`."""

    dataset: str
    label: str | None
    source: Literal["page", "api"]
    request_id: str = ""
    position: int = 0
    image: np.ndarray | None = None  # uint8 [H, W, C]
    drawing: bytes | None = None  # PNG


class UnknownAnswerError(Refused):
    """No answer is kept under this id, or not yet: another replica writes its own within a second."""

    def __init__(self) -> None:
        super().__init__(404, "unknown_answer", "No answer is kept under this id.", "Send the image with the label.")


def keep_feedback(services: "Services", feedback: Feedback, address: str) -> Correction:
    """Keeps it durably and returns what was kept. Asks the database. Raises Refused, StoreError."""
    from serving.storage.corrections import Corrections

    spec, corrections = SPECS[feedback.dataset], Corrections(services.database)
    client = services.client_ids.id_of(address)
    if feedback.label not in (None, *spec.class_names):
        raise Refused(422, "wrong_label", "There is no such label.", f"Labels: {', '.join(spec.class_names)}.")
    _check_room(services, corrections, client, feedback.dataset)
    correction = _correction(services, feedback, client)
    if not correction.proposed:
        raise Refused(422, "no_label", "The answer named no label that could be right.", "Say which one is.")
    if not corrections.add([correction]):
        raise Refused(409, "reviewed", "What you said of this image before has been reviewed.", "It stays so.")
    return correction


def _check_room(services: "Services", corrections: "Corrections", client: str, dataset: str) -> None:
    """Raises Refused when too many wait; none of those is ever dropped for a new one."""
    room = services.settings.quarantine_rows
    for whose, bound in ((client, max(1, room // SHARE)), (None, room)):
        if corrections.count(CorrectionFilter(dataset, state="pending", client=whose)) >= bound:
            message = "Too many corrections wait for the operator to look at them."
            raise Refused(503, "quarantine_full", message, "Try again another day.", 3600)


def _correction(services: "Services", feedback: Feedback, client: str) -> Correction:
    answer = _answer(services, feedback) if feedback.request_id else None
    if answer is not None:
        given, confidence, version, image = answer.label, answer.confidence, answer.model_version, answer.image
    elif feedback.image is not None:
        (said,) = services.classifier(feedback.dataset).predict(feedback.image[np.newaxis])
        given, confidence, version, image = said.label, said.confidence, said.model_version, feedback.image.tobytes()
    else:
        raise UnknownAnswerError
    if image is None:
        raise Refused(422, "blank", "Nothing was drawn in this image.", "Send another.")
    return Correction(
        dataset=feedback.dataset,
        source=feedback.source,
        client=client,
        request_id=feedback.request_id,
        position=feedback.position,
        model_version=version,
        given=given,
        confidence=confidence,
        proposed=given if feedback.label is None else feedback.label,
        image=image,
        drawing=feedback.drawing or services.recent_drawings.drawing(feedback.request_id),
    )


def _answer(services: "Services", feedback: Feedback) -> Entry | None:
    """From the history, which is written first: the answer may still be waiting for that."""
    if services.recorder is None:
        return None
    services.recorder.flush()
    found = services.recorder.history.find(feedback.request_id, feedback.position)
    return found if found is not None and found.dataset == feedback.dataset else None
