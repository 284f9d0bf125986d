"""Keep visitors' feedback on answers as corrections pending review."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from experiments.data.specs import DEFAULT_DATASET, SPECS
from experiments.inference.predictions import Prediction
from serving.core.clients import network_of
from serving.core.errors import Refused
from serving.prediction.prepare import Wanted
from serving.services import Services
from serving.storage.records import Correction, CorrectionFilter, Entry

SIDE = 400  # px, longest side of a drawing stored with a correction
CLIENT_SHARE = 10  # one client's corrections fill a tenth of the room for pending ones at most
NETWORK_SHARE = 3  # and one network's a third: clients enough for a school, and it takes more than two to fill the room


@dataclass(frozen=True, eq=False)
class Feedback:
    """A label for the image of the answer that `request_id` and `position` name, or else for `image`.

    `label`: None confirms the model's.
    """

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


def keep_feedback(services: Services, feedback: Feedback, client: str) -> Correction:
    """Keep feedback durably, and return it as the correction it became. Raises Refused, StoreError."""
    spec = SPECS[feedback.dataset]
    if feedback.label not in (None, *spec.class_names):
        raise Refused(422, "wrong_label", "There is no such label.", f"Labels: {', '.join(spec.class_names)}.")
    _check_room(services, client, feedback.dataset)
    correction = _correction(services, feedback, client)
    if not correction.proposed:
        raise Refused(422, "no_label", "The answer has no label to confirm.", "Send the right label.")
    if not services.corrections.add([correction]):
        raise Refused(
            409, "reviewed", "Your earlier correction of this image has been reviewed.", "It can't be changed."
        )
    return correction


def _check_room(services: Services, client: str, dataset: str) -> None:
    """Raises Refused when too many are pending; none is ever dropped for a new one."""
    room, pending = services.settings.max_pending_corrections, CorrectionFilter(dataset, state="pending")
    of_client = replace(pending, client=services.client_ids.id_of(client))
    of_network = replace(pending, network=services.client_ids.id_of(network_of(client)))
    for counted, share in ((of_client, CLIENT_SHARE), (of_network, NETWORK_SHARE), (pending, 1)):
        if services.corrections.count(counted) >= max(1, room // share):
            message = "Too many corrections are pending review."
            raise Refused(503, "quarantine_full", message, "Try again another day.", 3600)


def _correction(services: Services, feedback: Feedback, client: str) -> Correction:
    answer: Entry | Prediction | None = _recorded(services, feedback) if feedback.request_id else None
    if isinstance(answer, Entry):
        image = answer.image
    elif feedback.image is not None:
        (answer,) = services.classifier(feedback.dataset).predict(feedback.image[np.newaxis])
        image = feedback.image.tobytes()
    else:
        raise UnknownAnswerError
    if image is None:
        raise Refused(422, "blank", "Nothing was drawn in this image.", "Send another.")
    return Correction(
        dataset=feedback.dataset,
        source=feedback.source,
        client=services.client_ids.id_of(client),
        network=services.client_ids.id_of(network_of(client)),
        request_id=feedback.request_id,
        position=feedback.position,
        model_version=answer.model_version,
        given=answer.label,
        confidence=answer.confidence,
        proposed=answer.label if feedback.label is None else feedback.label,
        image=image,
        drawing=feedback.drawing,
    )


def _recorded(services: Services, feedback: Feedback) -> Entry | None:
    """Find the answer in the history, which is written first: the answer may still be queued."""
    if services.recorder is None:
        return None
    services.recorder.flush()
    entry = services.recorder.history.find(feedback.request_id, feedback.position)
    return entry if entry is not None and entry.dataset == feedback.dataset else None
