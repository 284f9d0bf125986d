"""The JSON API: its routes, its documentation at /docs, and one shape for every error."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from experiments.inference.litert import ModelError
from serving.api.routes import feedback, history, predict, production, retraining, status, training_data
from serving.api.schemas import ErrorAnswer
from serving.core.access import Caller, split_names
from serving.core.errors import Refused, from_status, internal_error
from serving.services import Services
from serving.storage.records import StoreError

ROUTERS = tuple(routes.router for routes in (predict, feedback, training_data, retraining, production, status, history))
STATIC = "/static-offline-docs"
PATHS = ("/api/", "/docs", "/openapi.json", "/metrics", STATIC)
"""What begins so is the API's; all else is the page's."""
DESCRIPTION = (
    "Reads hand-drawn digits and, with `dataset=cifar10`, photos. Errors have one shape, `{error: {code, message, "
    "hint}}`. Send an `X-Request-ID` to name a request yourself: one that is repeated is recorded once."
)


def build_api(services: Services) -> FastAPI:
    """The application. Its state has `services` and the `paths` of its routes; a request's state has its `caller`."""
    refusals: dict[int | str, dict[str, Any]] = {
        code: {"model": ErrorAnswer} for code in (400, 401, 403, 408, 413, 415, 422, 429, 500, 503)
    }
    api = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title="Digit and photo reader",
        version="1",
        description=DESCRIPTION,
        static_url=STATIC,
        responses=refusals,
    )
    for router in ROUTERS:
        api.include_router(router)
    api.state.services = services
    api.state.paths = frozenset(route.path for router in ROUTERS for route in router.routes)
    if origins := split_names(services.settings.cors_origins):
        api.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["*"])
    for kind in (Refused, HTTPException, RequestValidationError, ModelError, StoreError, Exception):
        api.add_exception_handler(kind, answer_error)
    return api


async def answer_error(request: Request, error: Exception) -> Response:
    """Any error in the one shape; those of this side are counted."""
    refused = _as_refused(error)
    if refused.status >= 500:
        caller: Caller = request.state.caller
        request.app.state.services.metrics.add_problem(caller.request_id, refused.status, refused.message)
    return refused.response()


def _as_refused(error: Exception) -> Refused:
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        return from_status(error.status_code)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        message = f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}."
        return Refused(422, "wrong_shape", message, "See /docs.")
    if isinstance(error, ModelError):
        return Refused(503, "no_model", str(error), "Try again in a moment.", 5)
    if isinstance(error, StoreError):
        return Refused(503, "no_history", str(error), "Try again in a moment.", 5)
    logging.getLogger(__name__).error("A request could not be answered", exc_info=error)
    return internal_error()
