"""What the operator is asked about, and what becomes of it."""

import numpy as np
import pytest

from experiments.retraining.corrections import UnansweredError
from serving.learning.contradictions import Judge, ask_about, learnable, open_questions
from serving.storage.corrections import Corrections
from serving.storage.records import CorrectionFilter
from tests.helpers.corrections import BELIEVING, SURE_OF_SEVEN, correction

OPEN = CorrectionFilter("mnist", unanswered=True)


@pytest.fixture
def corrections(database):
    return Corrections(database)


@pytest.fixture
def poisoned(corrections):
    """Sixty of sixty clients call a 7 a 5, twelve are right."""
    corrections.add([correction(n, proposed="5", client=f"c{n}", state="accepted") for n in range(60)])
    corrections.add([correction(n, proposed="7", state="accepted") for n in range(60, 72)])


def test_what_contradicts_is_left_out_and_named_in_the_log(corrections, poisoned):
    log = []
    learnt = learnable(corrections, SURE_OF_SEVEN, "mnist", log.append)
    assert learnt.data.labels.tolist() == [7] * 12
    clause = "60 corrections of 60 clients call 5 what the model is 99 % sure is 7"
    assert log == [f"Left out until that is answered: {clause}."]
    assert corrections.count(OPEN) == 60
    assert corrections.accepted("mnist")[0].labels.tolist() == [7] * 12
    assert corrections.accepted("mnist")[1] == learnt.digest


def test_it_stays_left_out_whatever_the_models_say_later(corrections, poisoned):
    learnable(corrections, SURE_OF_SEVEN, "mnist", print)
    assert len(learnable(corrections, BELIEVING, "mnist", print)) == 12


def test_what_the_model_in_production_has_learnt_is_asked_about_as_long_as_the_shipped_one_contradicts(
    corrections, poisoned
):
    def production(images):
        return np.tile(np.where(np.arange(11) == 5, 0.99, 0.001), (len(images), 1))

    def shipped(images):
        return np.tile(np.where(np.arange(11) == 7, 0.99, 0.001), (len(images), 1))

    assert learnable(corrections, Judge(shipped), "mnist", print).data.labels.tolist() == [7] * 12
    corrections.add([correction(n, proposed="5", client="later", state="accepted") for n in range(200, 220)])
    with pytest.raises(UnansweredError, match="80 corrections of 61 clients call 5 what only the model that was"):
        learnable(corrections, Judge(production, shipped), "mnist", print)


def test_answers_are_kept(corrections, poisoned):
    learnable(corrections, SURE_OF_SEVEN, "mnist", print)
    ids = [row.id for row in corrections.search(OPEN, 99)]
    assert corrections.answer(ids[:20], right=True) == 20
    assert corrections.answer(ids[20:], right=False) == 40
    log = []
    assert (
        sorted(learnable(corrections, SURE_OF_SEVEN, "mnist", log.append).data.labels.tolist()) == [5] * 20 + [7] * 12
    )
    assert [line.startswith("20 that were asked about are learnt, confirmed until 20") for line in log] == [True]
    assert corrections.tally(CorrectionFilter("mnist"), "state") == {("dropped",): 40, ("accepted",): 32}


def test_nobody_answers_for_what_was_not_asked_about(corrections, poisoned):
    ids = [row.id for row in corrections.search(CorrectionFilter("mnist"), 99)]
    assert corrections.answer(ids, right=True) == 0
    assert corrections.search(CorrectionFilter("mnist"), 1)[0].confirmed_at is None


def test_another_label_is_another_question(corrections, poisoned):
    learnable(corrections, SURE_OF_SEVEN, "mnist", print)
    ids = [row.id for row in corrections.search(OPEN, 99)]
    corrections.answer(ids, right=True)
    corrections.review(CorrectionFilter("mnist", ids=ids), "accepted", label="3")
    learnable(corrections, SURE_OF_SEVEN, "mnist", print)
    assert corrections.count(OPEN) == 60


def test_too_few_others_are_not_learnt(corrections):
    corrections.add([correction(n, proposed="5", state="accepted") for n in range(20)])
    corrections.add([correction(n, proposed="7", state="accepted") for n in range(20, 29)])
    with pytest.raises(UnansweredError, match=r"Are they right\? 20 corrections of 1 client.*Accepted besides: 9"):
        learnable(corrections, SURE_OF_SEVEN, "mnist", print)


def test_a_review_asks_about_what_the_model_in_production_contradicts(opened, classifier, settings, tmp_path):
    services = opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path}))
    services.corrections.add([correction(n, proposed="5", client=f"c{n}") for n in range(6)])
    (question,) = open_questions(services, "mnist")
    assert (question.label, question.clients, len(question.corrections.ids)) == ("5", 6, 6)
    services.corrections.review(CorrectionFilter("mnist"), "accepted")
    assert ask_about(services, "mnist", question.corrections.ids.tolist()) == 6
    services.corrections.answer(question.corrections.ids.tolist(), right=False)
    assert open_questions(services, "mnist") == []
