import time

import pytest

from serving.page.retrain.path import Standing, next_step, path_report, steps
from serving.storage.records import ProductionEntry
from tests.unit.serving.page.retrain.test_retraining import job

ENTRY = ProductionEntry("mnist", "3", "run", 1000.0, None, "gate", "better", "ab" * 32, 20)
ENDED = {"ended_at": 1075.0, "remaining": None}


def standing(pending=0, accepted=0, unanswered=0, retraining=None, production=None):
    return Standing(pending, accepted, unanswered, retraining, production)


@pytest.mark.parametrize(
    ("now", "stages", "words"),
    [
        (standing(), "done later later later done", "needs 10 accepted corrections: 10 more"),
        (standing(pending=3, accepted=12), "now done now later done", "Review what waits: 3"),
        (standing(accepted=12, unanswered=1), "done now now later done", "Answer the contradictions: 1"),
        (standing(accepted=12, unanswered=5), "done now later later done", "Answer the contradictions: 5"),
        (standing(accepted=12), "done done now later done", "can learn from 12"),
        (standing(accepted=12, retraining=job()), "done done now later done", "is going on"),
        (standing(accepted=12, retraining=job(state="queued")), "done done now later done", "waits to be done"),
        (standing(accepted=12, retraining=job(state="deciding")), "done done done now done", "is going on"),
        (standing(accepted=12, retraining=job(state="promoted", **ENDED)), "done done done done done", "can learn"),
        (standing(accepted=12, retraining=job(state="refused", **ENDED)), "done done done failed done", "can learn"),
        (standing(accepted=12, retraining=job(state="failed", **ENDED)), "done done failed later done", "can learn"),
    ],
)
def test_each_step_says_where_it_stands_and_the_sentence_what_comes_next(now, stages, words):
    assert " ".join(stage for *_, stage in steps(now)) == stages
    assert words in next_step(now)


def test_a_retraining_can_be_started_once_ten_are_accepted_and_none_is_going_on():
    assert [standing(accepted=count).can_start for count in (9, 10)] == [False, True]
    assert not standing(accepted=10, unanswered=1).can_start
    assert not standing(accepted=12, retraining=job()).can_start
    assert standing(accepted=12, retraining=job(state="refused", **ENDED)).can_start


def test_the_path_names_progress_and_version():
    report = path_report(standing(accepted=12, retraining=job(seen_at=time.time()), production=ENTRY))
    assert "training, 50 %" in report
    assert "waits for a trainer" in path_report(standing(accepted=12, retraining=job(state="queued")))
    assert "version 3, 1970-01-01" in report
    assert report.count('aria-current="step"') == 1
