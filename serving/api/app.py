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

ROUTES = (predict, feedback, training_data, retraining, production, status, history)
STATIC = "/static-offline-docs"
PATHS = ("/api/", "/docs", "/openapi.json", "/metrics", STATIC)
"""What begins so is the API's; all else is the page's."""
DESCRIPTION = (
    "Reads hand-drawn digits and, with `dataset=cifar10`, photos. Errors have one shape, `{error: {code, message, "
    "hint}}`. Send an `X-Request-ID` to name a request yourself: one that is repeated is recorded once."
)


def build_api(services: Services) -> FastAPI:
    """The application, whose state names its `paths`. Each request's state carries its `caller`."""
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
    routers = [routes.build(services) for routes in ROUTES]
    for router in routers:
        api.include_router(router)
    api.state.paths = frozenset(route.path for router in routers for route in router.routes)
    if origins := split_names(services.settings.cors_origins):
        api.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["*"])
    _add_errors(api, services)
    return api


def _add_errors(api: FastAPI, services: Services) -> None:
    def tell(request: Request, error: Refused) -> Response:
        caller: Caller = request.state.caller
        if error.status >= 500:
            services.metrics.add_problem(caller.request_id, error.status, error.message)
        return error.response()

    async def refused(request: Request, error: Refused) -> Response:
        return tell(request, error)

    async def by_the_framework(request: Request, error: HTTPException) -> Response:
        return tell(request, from_status(error.status_code))

    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        message = f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}."
        return tell(request, Refused(422, "wrong_shape", message, "See /docs."))

    async def no_model(request: Request, error: ModelError) -> Response:
        return tell(request, Refused(503, "no_model", str(error), "Try again in a moment.", 5))

    async def no_history(request: Request, error: StoreError) -> Response:
        return tell(request, Refused(503, "no_history", str(error), "Try again in a moment.", 5))

    async def broken(request: Request, error: Exception) -> Response:
        logging.getLogger(__name__).error("A request could not be answered", exc_info=error)
        return tell(request, internal_error())

    handlers = {
        Refused: refused,
        HTTPException: by_the_framework,
        RequestValidationError: invalid,
        ModelError: no_model,
        StoreError: no_history,
        Exception: broken,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)  # type: ignore[arg-type]
