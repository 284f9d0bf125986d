import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.learning.feedback import Feedback, keep_feedback
from serving.storage.corrections import Corrections
from serving.storage.records import AnswerFilter, CorrectionFilter
from tests.helpers.numbers import number

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


@pytest.fixture
def answered(opened, classifier, settings, tmp_path):
    """Answer with a number; gives feedback on it, and tells what each label given to an image was and is."""
    services = opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path}))

    class Answered:
        recorder = services.recorder

        def __init__(self, text, **options):
            self.prediction = number(text, **options)
            services.record("mnist", "a-request", "page", "203.0.113.7", 9.0, [self.prediction], [b"the sheet"])

        def say(self, label, **options):
            feedback = Feedback("mnist", label, "page", "a-request", drawing=b"png", **options)
            return keep_feedback(services, feedback, "203.0.113.7")

        def corrections(self):
            found = services.corrections.search(CorrectionFilter("mnist"), 99)
            return sorted((one.image[0], one.given, one.label) for one in found)

        @property
        def corrected(self):
            (entry,) = services.recorder.history.search(AnswerFilter(), 9)
            return entry.corrected

    return Answered


def test_the_digits_of_a_number_that_differ_become_corrections(answered):
    answer = answered("42\n17")
    kept = answer.say("4317")
    assert (kept.dataset, kept.given, kept.proposed) == ("mnist", "42\n17", "4317")
    (correction,) = kept.corrections
    assert (correction.given, correction.proposed, correction.confidence) == ("2", "3", 0.9)
    assert (correction.image, correction.drawing) == (bytes([2]) * 784, None)
    assert answer.corrections() == [(2, "2", "3")]
    assert answer.corrected == "4317"


@pytest.mark.parametrize("label", [None, "42\n1", "42 1", "421"])
def test_a_number_that_is_right_confirms_each_digit(answered, label):
    answer = answered("42\n1")
    assert answer.say(label).proposed.split() == (label or "42 1").split()
    assert answer.corrections() == [(1, "4", "4"), (2, "2", "2"), (3, "1", "1")]
    assert answer.corrected is None


def test_who_corrects_a_number_again_has_changed_their_mind_about_all_of_it(answered):
    answer = answered("42")
    answer.say("43")
    answer.say("12")
    assert answer.corrections() == [(1, "4", "1"), (2, "2", "2")]
    assert answer.corrected == "12"
    answer.say(None)
    assert answer.corrections() == [(1, "4", "4"), (2, "2", "2")]
    assert answer.corrected is None


def test_what_was_no_digit_may_be_left_out_or_named(answered):
    answer = answered("3?14", verdict="unsure")
    assert answer.say("315").proposed == "315"
    assert answer.corrections() == [(4, "4", "5")]
    answer.say("3?14")
    assert answer.corrections() == [(1, "3", "3"), (3, "1", "1"), (4, "4", "4")]
    answer.say("3914")
    assert (2, "", "9") in answer.corrections()


def test_a_rejected_number_is_corrected_and_not_confirmed(answered):
    answer = answered("42", verdict="rejected")
    with pytest.raises(Refused, match="no label to confirm"):
        answer.say(None)
    assert answer.say("42").given == ""
    assert answer.corrections() == [(1, "", "4"), (2, "", "2")]


@pytest.mark.parametrize("label", ["4", "427", "4 2 7"])
def test_where_the_picture_was_split_wrongly_nothing_is_kept(answered, label):
    answer = answered("42")
    with pytest.raises(Refused, match="2 digits and this label") as caught:
        answer.say(label)
    assert (caught.value.status, caught.value.code) == (422, "wrong_split")
    assert answer.corrections() == []
    assert answer.corrected is None


def test_a_number_without_a_history_is_known_by_its_image(opened, classifier, settings, tmp_path):
    services = opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path, "history": False}))

    def say(label, image):
        return keep_feedback(services, Feedback("mnist", label, "page", "id", image=image), "203.0.113.7")

    image = number("42").image
    assert (say("71", image).given, say(None, image).proposed) == ("77", "77")
    assert services.corrections.count(CorrectionFilter("mnist")) == 2
    for wrong in (image[:30], np.zeros((28 * 301, 28, 1), np.uint8)):
        with pytest.raises(Refused, match="not the image of an answer"):
            say("71", wrong)


def test_a_number_fills_no_more_than_a_clients_share(correct):
    image = number("427").image
    with pytest.raises(Refused, match="Too many corrections"):
        keep_feedback(correct.services, Feedback("mnist", "121", "page", image=image), "203.0.113.7")
    assert correct.services.corrections.count(CorrectionFilter("mnist")) == 0


@given(st.text("0123456789?\n x\u0667", max_size=8))
def test_whatever_a_number_should_be_is_kept_or_refused(services, label):
    feedback = Feedback("mnist", label, "api", image=number("427").image)
    if len("".join(label.split()).replace("?", "")) == 3 and set(label) <= set("0123456789?\n "):
        kept = keep_feedback(services, feedback, "203.0.113.99")
        assert {correction.proposed for correction in kept.corrections} <= set("0123456789")
    else:
        with pytest.raises(Refused, match=r"no such label|wrongly"):
            keep_feedback(services, feedback, "203.0.113.99")
