"""A correction as the database keeps it."""

from serving.entries import Correction


def correction(number, **changes):
    fields = {
        "dataset": "mnist",
        "source": "api",
        "client": "abc",
        "request_id": f"request-{number}",
        "position": 0,
        "model_version": "3",
        "given": "7",
        "confidence": 0.9,
        "proposed": "1",
        "image": number.to_bytes(4, "big") * 196,
        "made_at": 1000.0 + number,
    }
    return Correction(**fields | changes)
