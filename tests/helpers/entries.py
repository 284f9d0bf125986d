"""An answer as the history keeps it."""

from serving.storage.records import Entry


def entry(number, **changes):
    fields = {
        "request_id": f"request-{number}",
        "position": 0,
        "answered_at": 1000.0 + number,
        "source": "api",
        "dataset": "mnist",
        "verdict": "sure",
        "label": str(number % 10),
        "confidence": 0.9,
        "milliseconds": 2.5,
        "model_version": "3",
        "model_sha256": "0" * 64,
        "client": "abc",
        "image": bytes(784),
    }
    return Entry(**fields | changes)
