"""What the API answers, checked."""

from serving.api.schemas import ErrorAnswer

PNG = {"Content-Type": "image/png"}


def refused(reply, status, code):
    """Checks an error and returns its message and hint."""
    assert reply.status_code == status, reply.text
    error = ErrorAnswer.model_validate_json(reply.content).error
    assert error.code == code
    return error


async def no_page(scope, receive, send):
    if scope["type"] == "lifespan":
        for happened in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{happened}.complete"})
        return
    raise AssertionError("the page was asked")
