import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.prediction.messages import pack_reply, pack_request, read_request, take_reply
from serving.prediction.prepare import Prepared, Wanted

WANTED = st.builds(Wanted, st.sampled_from(["mnist", "cifar10"]), st.booleans(), st.integers(0, 65535))


@given(WANTED, st.lists(st.binary(max_size=50), max_size=12), st.booleans())
def test_a_request_arrives_as_it_was_sent(wanted, sheets, large):
    stream = io.BytesIO(b"".join(pack_request(wanted, sheets, large)))
    assert read_request(stream.read) == (wanted, sheets, large)
    assert stream.read() == b""


@pytest.mark.parametrize("shape", [None, (28, 28, 1)])
def test_a_reply_is_taken_once_it_is_complete(shape):
    image = None if shape is None else np.arange(784, dtype=np.uint16).astype(np.uint8).reshape(shape)
    packed, buffer = pack_reply(Prepared(image, b"preview", (1, 2, 30, 20), (40, 30))), bytearray()
    for byte in packed[:-1]:
        buffer.append(byte)
        assert take_reply(buffer, "mnist") is None
    buffer += packed[-1:] + b"next"
    prepared = take_reply(buffer, "mnist")
    assert (prepared.preview, prepared.box, prepared.size) == (b"preview", (1, 2, 30, 20), (40, 30))
    assert prepared.image is None if image is None else np.array_equal(prepared.image, image)
    assert buffer == b"next"


def test_what_is_more_than_numbers_is_not_taken_for_nothing():
    for rows in ([], None):
        assert take_reply(bytearray(pack_reply(Prepared(None, rows=rows))), "mnist").rows == (
            None if rows is None else ()
        )


def test_a_refusal_arrives_in_words():
    refused = take_reply(bytearray(pack_reply(Refused(413, "too_large", "It is.", "Shrink it."))), "cifar10")
    assert (refused.status, refused.body()) == (413, {"code": "too_large", "message": "It is.", "hint": "Shrink it."})
