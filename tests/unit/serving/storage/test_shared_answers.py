import time
from dataclasses import replace

from serving.storage.history import History
from serving.storage.records import SharedAnswer
from serving.storage.shared_answers import SharedAnswers
from tests.helpers.entries import entry

FIRST = SharedAnswer("token-1", "request-1", 1000.0, "ann", "school", b"picture")
SECOND = SharedAnswer("token-2", "request-2", 1000.0, "bob", "school", b"picture")


def test_an_answer_is_shared_once(database):
    shared = SharedAnswers(database)
    assert shared.add(FIRST) == "token-1"
    assert shared.add(replace(SECOND, request_id="request-1")) == "token-1"
    assert shared.find("token-1") == FIRST
    assert shared.find("token-2") is shared.find("") is None


def test_shares_of_the_room_are_counted_by_client_and_by_network(database):
    shared = SharedAnswers(database)
    shared.add(FIRST)
    shared.add(SECOND)
    assert (shared.count(), shared.count("ann"), shared.count(network="school"), shared.count("eve")) == (2, 1, 2, 0)


def test_it_goes_with_its_answer(database):
    history, shared = History(database), SharedAnswers(database)
    history.add([entry(1), entry(2, answered_at=time.time())])
    shared.add(FIRST)
    shared.add(SECOND)
    assert history.purge(days=1, rows=10) == 1
    assert [shared.find(f"token-{number}") is None for number in (1, 2)] == [True, False]
