"""Checks of the API's answers."""

from serving.api.schemas import ErrorAnswer

PNG = {"Content-Type": "image/png"}


def assert_refused(reply, status, code):
    """Check an error. Return its message and hint."""
    assert reply.status_code == status, reply.text
    error = ErrorAnswer.model_validate_json(reply.content).error
    assert error.code == code
    return error
