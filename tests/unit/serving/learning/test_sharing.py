"""Links to answers: whose they are, how many there can be, and how long they last."""

import asyncio
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from serving.core.errors import Refused
from serving.learning.sharing import ROOM, open_answer, share_answer
from serving.storage.records import SharedAnswer

ANN, EVE = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def services(opened, classifier, settings):
    return opened(classifier, settings)


@pytest.fixture
def answered(services, seven_png, request):
    """The id of an answer to Ann's drawing."""
    request_id = request.node.name[:64]
    record(services, request_id, seven_png)
    return request_id


def record(services, request_id, picture, source="page", client=ANN):
    (answer,) = services.classifier("mnist").predict(np.full((1, 28, 28, 1), 255, np.uint8))
    services.record("mnist", request_id, source, client, 1.0, [answer], [picture])


def share(services, request_id, client=ANN, room=ROOM):
    return asyncio.run(share_answer(services, request_id, client, room))


def test_a_link_opens_the_drawing_with_its_answer(services, answered):
    token = share(services, answered)
    opened = asyncio.run(open_answer(services, token))
    assert (opened.entry.label, opened.entry.model_version, opened.entry.request_id) == ("7", "3", answered)
    assert Image.open(io.BytesIO(opened.drawing)).format == "WEBP"
    assert len(token) >= 128 / 6
    assert share(services, answered) == token


def test_nothing_is_kept_before(services, answered):
    before = services.shared_answers.count()
    share(services, answered)
    assert services.shared_answers.count() == before + 1


def test_only_its_owner_shares_it(services, answered, seven_png):
    for request_id, client in ((answered, EVE), ("made-up", ANN), ("", ANN)):
        with pytest.raises(Refused, match="No drawing of yours"):
            share(services, request_id, client)
    record(services, "by-api", seven_png, source="api")
    with pytest.raises(Refused, match="No drawing of yours"):
        share(services, "by-api")


def test_one_client_and_one_network_have_a_share_of_the_room(services, answered, seven_png):
    client = services.client_ids.id_of(ANN)
    share(services, answered)
    room = 10 * services.shared_answers.count(client)
    record(services, "one-too-many", seven_png)
    with pytest.raises(Refused, match="no room") as refused:
        share(services, "one-too-many", room=room)
    assert refused.value.status == 503
    record(services, "of-another", seven_png, client=EVE)
    assert share(services, "of-another", EVE, room)


def test_no_other_token_opens_anything(services):
    @given(st.text(max_size=80))
    def check(token):
        assert asyncio.run(open_answer(services, token)) is None

    check()


def test_a_setting_turns_links_off(opened, classifier, settings, services, answered):
    token = share(services, answered)
    off = opened(classifier, settings.model_copy(update={"share_answers": False}))
    assert asyncio.run(open_answer(off, token)) is None
    without_history = opened(classifier, settings.model_copy(update={"history": False}))
    assert asyncio.run(open_answer(without_history, token)) is None


def test_a_link_ends_with_its_answer(services, answered):
    token = share(services, answered)
    services.recorder.history.purge(days=90, rows=0)
    assert asyncio.run(open_answer(services, token)) is None
    orphan = SharedAnswer("token", "gone", 0.0, "ann", "school", b"")
    assert services.shared_answers.add(orphan) == "token"
    assert asyncio.run(open_answer(services, "token")) is None
