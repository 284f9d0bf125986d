"""What the API answers, checked."""

from serving.api.schemas import ErrorAnswer

PNG = {"Content-Type": "image/png"}


def refused(reply, status, code):
    """Checks an error and returns its message and hint."""
    assert reply.status_code == status, reply.text
    error = ErrorAnswer.model_validate_json(reply.content).error
    assert error.code == code
    return error
