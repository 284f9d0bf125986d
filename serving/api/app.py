"""The JSON API: its routes, its documentation at /docs, and one shape for every error."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from experiments.inference.litert import ModelError
from experiments.registry.store import RegistryAwayError, RegistryError
from serving.api.bodies import wrong_shape
from serving.api.routes import feedback, history, predict, production, retraining, status, training_data
from serving.api.schemas import ErrorAnswer
from serving.core.access import split_names
from serving.core.errors import Refused, from_os_error, from_status
from serving.core.logs import REQUEST_ID
from serving.services import Services
from serving.storage.records import StoreError

ROUTERS = tuple(routes.router for routes in (predict, feedback, training_data, retraining, production, status, history))
STATIC = "/static-offline-docs"
PATHS = ("/api/", "/docs", "/openapi.json", "/metrics", STATIC)
"""Beginnings of the API's paths; all others are the page's."""
ROUTE_PATHS = frozenset(route.path for router in ROUTERS for route in router.routes)
DESCRIPTION = (
    "Reads hand-drawn digits and, with `dataset=cifar10`, photos. Errors have one shape, `{error: {code, message, "
    "hint}}`. Send an `X-Request-ID` to name a request yourself: one that is repeated is recorded once."
)


def build_api(services: Services) -> FastAPI:
    """Return the application. It needs the `caller` in a request's state."""
    refusals: dict[int | str, dict[str, Any]] = {
        code: {"model": ErrorAnswer} for code in (400, 401, 403, 408, 413, 415, 422, 429, 500, 503, 507)
    }
    api = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title="Digit and photo reader",
        version="1",
        description=DESCRIPTION,
        static_url=STATIC,
        responses=refusals,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # nobody collects it; asked at each request
    )
    api.state.services = services
    for router in ROUTERS:
        api.include_router(router)
    without_page = APIRouter(routes=list(api.routes))
    for path in PATHS:  # an unknown path or wrong method ends here, rather than at a page mounted at the root
        api.routes.append(Route(f"{path}{{rest:path}}", without_page, include_in_schema=False))
    if origins := split_names(services.settings.cors_origins):
        api.add_middleware(ApiCORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["*"])
    for kind in (Refused, HTTPException, RequestValidationError, ModelError, RegistryError, StoreError):
        api.add_exception_handler(kind, answer_error)
    return api


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    services: Services = api.state.services
    await services.worker_pool.start()
    yield
    services.worker_pool.close()


class ApiCORSMiddleware(CORSMiddleware):
    """Answers to other sites, of the API alone: the page has Gradio's own rules."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        is_api = scope["type"] == "http" and scope["path"].startswith(PATHS)
        await (super().__call__ if is_api else self.app)(scope, receive, send)


async def answer_error(request: Request, error: Exception, translate: Callable[[str], str] = str) -> Response:
    """Put any error into the one shape, and count those of this side. translate: for people."""
    refused = _as_refused(error)
    if refused.status >= 500:
        services: Services = request.app.state.services
        services.metrics.add_problem(REQUEST_ID.get(), refused.status, refused.message)
    return refused.response(translate)


def _as_refused(error: Exception) -> Refused:  # noqa: PLR0911 one for each kind of error
    if isinstance(error, Refused):
        return error
    if isinstance(error, HTTPException):
        return from_status(error.status_code)
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return wrong_shape(first["loc"][1:], first["msg"], "See /docs.")
    if isinstance(error, RegistryAwayError):
        return Refused(503, "no_registry", str(error), "Try again in a moment.", 5)
    if isinstance(error, RegistryError):
        return Refused(409, "registry", str(error))
    if isinstance(error, ModelError):
        return Refused(503, "no_model", str(error), "Try again in a moment.", 5)
    if isinstance(error, StoreError):
        return Refused(503, "no_history", str(error), "Try again in a moment.", 5)
    if isinstance(error, OSError) and (refused := from_os_error(error)):
        return refused
    logging.getLogger(__name__).error("A request could not be answered", exc_info=error)
    return Refused(500, "fault", "The fault is on this side and has been logged.", "Try again.")
