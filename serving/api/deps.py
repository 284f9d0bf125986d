"""What routes need of a request: the services, and who asks with which rights."""

from typing import Annotated, Any

from fastapi import Depends, Request

from serving.core.access import Caller
from serving.services import Services


# Coroutines, since FastAPI would run plain functions in a thread.
async def get_services(request: Request) -> Services:
    """What the application was built around."""
    services: Services = request.app.state.services
    return services


async def check_visitor(request: Request) -> Caller:
    """Who asks. Raises Refused 401 where a login is missing."""
    caller: Caller = request.state.caller
    request.app.state.services.access.check_visitor(caller.headers, caller.user)
    return caller


async def check_operator(request: Request) -> Caller:
    """The operator who asks. Raises Refused 401 for anyone else."""
    caller: Caller = request.state.caller
    request.app.state.services.access.check_operator(caller.headers, caller.user)
    return caller


ServicesDep = Annotated[Services, Depends(get_services)]
Visitor = Annotated[Caller, Depends(check_visitor)]
Operator = Annotated[Caller, Depends(check_operator)]
OPERATOR_ONLY: list[Any] = [Depends(check_operator)]
"""`dependencies` of a router whose routes don't need to know who the operator is."""
