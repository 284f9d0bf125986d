"""The tools that language models are given by the Model Context Protocol: read a drawing, read a photo."""

import html
import logging
import time
from pathlib import Path

import gradio as gr
import orjson
from gradio.events import api
from gradio.mcp import GradioMCPServer
from mcp import types
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from experiments.inference.readings import reading
from serving.api.bodies import decoded
from serving.api.schemas import model_name
from serving.core.limits import Held, check_size
from serving.middleware.doors import MCP_PATHS
from serving.page.widgets.controls import caller_of
from serving.page.widgets.errors import show_errors
from serving.page.widgets.files import read_uploads
from serving.prediction.prepare import Wanted
from serving.services import Services
from serving.uploads.cache import upload_folder

ANSWERED = {types.PingRequest, types.ListToolsRequest, types.CallToolRequest}
"""Beside the first request of a session. For a resource or a prompt Gradio would connect to the request's Host."""


def build_server(services: Services) -> GradioMCPServer:
    """Build the server of the two tools, on Blocks of their own: no event of the page can become a tool."""

    async def read_drawing(picture: str, request: gr.Request) -> str:
        """Read a handwritten digit, or a number of several digits in one row or more, from a picture of a drawing, a
        scan or a photo of paper. Returns JSON: "text" is what is written, rows by newline, null where none is named;
        "verdict" is sure, unsure, rejected (no digit or number) or blank; "candidates" are the two likeliest digits
        of an unsure one; "digits" has each with its box in px. Tell people when the verdict is not "sure". Addresses of
        pictures are not fetched: send the file.

        Parameters:
            picture: The file in base64, as a data URL, or the path that its upload to /gradio_api/upload answered.
        """
        return await _read(services, "mnist", picture, request)

    async def read_photo(picture: str, request: gr.Request) -> str:
        """Say which of ten things a small photo shows in its middle: airplane, automobile, bird, cat, deer, dog, frog,
        horse, ship or truck. Returns JSON: "label" is the thing; "verdict" is sure, unsure or blank; "candidates" are
        the two likeliest of an unsure one; "confidences" has the probability of each thing. It knows nothing else: tell
        people when the verdict is not "sure". Addresses of pictures are not fetched: send the file.

        Parameters:
            picture: The file in base64, as a data URL, or the path that its upload to /gradio_api/upload answered.
        """
        return await _read(services, "cifar10", picture, request)

    with gr.Blocks(title="Digit and photo reader", analytics_enabled=False) as tools:
        for tool in (read_drawing, read_photo):
            # Without the queue Gradio calls it in place: else it would by a client of its own, at the request's Host.
            api(tool, queue=False)
    server = GradioMCPServer(tools)
    handlers = server.mcp_server.request_handlers
    for kind in handlers.keys() - ANSWERED:
        del handlers[kind]
    keep_log_short()
    return server


def routes(server: GradioMCPServer) -> list[Route]:
    """The server's only paths; what Gradio would serve beside them stays closed."""
    return [Route(path, _Endpoint(server), methods=["POST"]) for path in MCP_PATHS]


def keep_log_short() -> None:
    """Leave out warnings of what is sent wrongly, which hold much of it and could flood the log."""
    logging.getLogger("mcp").setLevel(logging.ERROR)
    logging.getLogger().addFilter(_is_ours)  # of what is logged there itself, as nothing of ours is


def _is_ours(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Failed to validate request")


class _Endpoint:
    """The streamable HTTP transport as an ASGI application."""

    def __init__(self, server: GradioMCPServer) -> None:
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._server.handle_streamable_http(scope, receive, send)


async def _read(services: Services, dataset: str, picture: str, request: gr.Request) -> str:
    """Answer like POST /api/predict, in JSON. Raises ValueError."""
    try:
        return await _answer(services, dataset, picture, request)
    except gr.Error as error:  # whose text in a page is HTML, and elsewhere in quotes
        raise ValueError(html.unescape(str(error.message))) from None


async def _answer(services: Services, dataset: str, picture: str, request: gr.Request) -> str:
    """Raises gr.Error."""
    caller = caller_of(request)
    with show_errors(services, "The picture could not be answered."):
        services.rates.admit("api", caller.client)
        classifier = services.classifier(dataset)
        with services.load.request(caller.client) as held:
            sheet = await _sheet(services, picture, held)
            started = time.perf_counter()
            prediction = await services.batcher.predict_one(Wanted(dataset), [sheet], caller.client, "auto")
            milliseconds = round(1000 * (time.perf_counter() - started), 3)
        services.record(dataset, caller.request_id, "api", caller.client, milliseconds, [prediction], [sheet])
    head = {"id": caller.request_id, "model": model_name(classifier), "milliseconds": milliseconds}
    return orjson.dumps(head | reading(prediction, classifier.bundle.class_names)).decode()


async def _sheet(services: Services, picture: str, held: Held) -> bytes:
    """The encoded picture. Raises Refused."""
    if picture.startswith(f"{upload_folder()}/"):  # a JPEG in base64 begins with a slash, too
        return (await read_uploads([Path(picture)], held, services.limits))[0]
    held.reserve(len(picture))
    held.enter()
    sheet = await decoded(picture)
    check_size(len(sheet), services.limits.file_mb, "The picture")
    return sheet
