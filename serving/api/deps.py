"""Dependencies of the routes: the services, and the caller with its rights."""

from typing import Annotated

from fastapi import Depends, Request

from serving.core.access import Caller
from serving.services import Services


# Coroutines, since FastAPI runs plain functions in a thread.
async def get_services(request: Request) -> Services:
    """Return the services that the application was built with."""
    services: Services = request.app.state.services
    return services


async def check_visitor(request: Request) -> Caller:
    """Return the caller. Raises Refused 401 where a login is missing."""
    caller: Caller = request.state.caller
    request.app.state.services.access.check_visitor(caller)
    return caller


async def check_operator(request: Request) -> Caller:
    """Return the caller. Raises Refused 401 for anyone but the operator."""
    caller: Caller = request.state.caller
    request.app.state.services.access.check_operator(caller)
    return caller


ServicesDep = Annotated[Services, Depends(get_services)]
Visitor = Annotated[Caller, Depends(check_visitor)]
Operator = Annotated[Caller, Depends(check_operator)]
OPERATOR_ONLY = [Depends(check_operator)]
"""`dependencies` of a router or route whose code needs no caller."""
