"""Links to answers. A drawing is kept once its owner shares it, as long as the history keeps its answer."""

import io
import secrets
import time
from dataclasses import dataclass

from PIL import Image

from serving.core.clients import network_of
from serving.core.errors import Refused
from serving.learning.feedback import CLIENT_SHARE, NETWORK_SHARE, small_drawing
from serving.services import Services
from serving.storage.records import Entry, SharedAnswer

ROOM = 10_000  # shared answers, of some 10 kB each
TOKEN_BYTES = 24  # 192 bits, which nobody guesses
QUALITY = 85  # of WebP


@dataclass(frozen=True, eq=False)
class OpenedAnswer:
    """An answer that somebody shared. drawing: WebP."""

    entry: Entry
    drawing: bytes


def can_share(services: Services) -> bool:
    """Whether visitors can share answers: only the history knows them after a while."""
    return services.settings.share_answers and services.recorder is not None


async def share_answer(services: Services, request_id: str, client: str, room: int = ROOM) -> str:
    """Keep the drawing behind an answer of this client's, and return the token of its link. Raises Refused,
    StoreError."""
    services.rates.admit("feedback", client)
    drawing = await small_drawing(services, request_id, client)
    if drawing is None:
        raise _unknown()
    return await services.database_calls.call(_keep, services, request_id, client, _smaller(drawing), room)


async def open_answer(services: Services, token: str) -> OpenedAnswer | None:
    """Return the answer behind a link; None if there is none, or no longer. Raises StoreError."""
    return await services.database_calls.call(_find, services, token)


def _keep(services: Services, request_id: str, client: str, drawing: bytes, room: int) -> str:
    entry, client_id = _find_entry(services, request_id), services.client_ids.id_of(client)
    if entry is None or entry.client != client_id or entry.source != "page":
        raise _unknown()
    network = services.client_ids.id_of(network_of(client))
    shared = services.shared_answers
    counts = ((shared.count(client_id), CLIENT_SHARE), (shared.count(network=network), NETWORK_SHARE))
    for count, share in (*counts, (shared.count(), 1)):
        if count >= max(1, room // share):
            raise Refused(503, "no_room", "There is no room for more shared answers.", "Try again another day.", 3600)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return shared.add(SharedAnswer(token, request_id, time.time(), client_id, network, drawing))


def _find(services: Services, token: str) -> OpenedAnswer | None:
    shared = services.shared_answers.find(token) if can_share(services) else None
    entry = _find_entry(services, shared.request_id) if shared else None
    return OpenedAnswer(entry, shared.drawing) if shared and entry else None


def _find_entry(services: Services, request_id: str) -> Entry | None:
    """Find the answer in the history, which is written first: the answer may still be queued."""
    if services.recorder is None:
        return None
    services.recorder.flush()
    return services.recorder.history.find(request_id, 0)


def _smaller(drawing: bytes) -> bytes:
    """A picture as WebP, which of a photo takes a tenth of a PNG."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(drawing)) as picture:
        picture.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()


def _unknown() -> Refused:
    message = "No drawing of yours is kept for this answer."
    return Refused(404, "unknown_answer", message, "Submit it again, then share it.")
