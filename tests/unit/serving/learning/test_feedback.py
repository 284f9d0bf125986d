import itertools

import numpy as np
import pytest

from serving.core.errors import Refused
from serving.learning.feedback import Feedback, keep_feedback
from serving.storage.corrections import Corrections
from serving.storage.records import CorrectionFilter

images = itertools.count()


@pytest.fixture
def correct(opened, classifier, settings, tmp_path):
    """Correct another image of a client; tells whether it was kept. Of 20 that may be pending."""
    services = opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path, "max_pending_corrections": 20}))

    def correct(client):
        image = np.full((28, 28, 1), next(images) % 256, np.uint8)
        try:
            keep_feedback(services, Feedback("mnist", "1", "api", image=image), client)
        except Refused as refused:
            if (refused.status, refused.code) != (503, "quarantine_full"):
                raise
            return False
        return True

    correct.services = services
    return correct


@pytest.mark.parametrize(
    "clients",
    [[f"203.0.113.{number}" for number in range(9)], [f"2001:db8:1:{number:x}::/64" for number in range(9)]],
    ids=["/24 of IPv4", "/48 of IPv6"],
)
def test_a_client_fills_a_tenth_of_the_room_and_a_network_a_third(correct, clients):
    assert [correct(clients[0]) for _ in range(5)] == [True] * 2 + [False] * 3
    assert sum(correct(client) for client in clients[1:] for _ in range(5)) == 4
    assert correct("198.51.100.9")
    assert correct("2001:db8:2::/64")


def test_networks_fill_no_more_than_the_room(correct):
    assert sum(correct(f"203.0.{network}.{host}") for network in range(9) for host in range(9)) == 20


def test_of_a_network_a_hash_is_kept(correct):
    correct("203.0.113.7")
    (kept,) = Corrections(correct.services.database).search(CorrectionFilter("mnist"), 9)
    assert kept.network == correct.services.client_ids.id_of("203.0.113.0/24")
    assert kept.network != kept.client
