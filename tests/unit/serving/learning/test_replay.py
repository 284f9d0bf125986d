from dataclasses import replace

import numpy as np
import pytest

from experiments.inference.litert import LiteRTModel
from serving.learning.replay import replay
from serving.storage.database import Database
from serving.storage.history import History
from serving.storage.records import AnswerFilter
from tests.helpers.entries import entry


@pytest.fixture
def history(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    yield History(database)
    database.close()


def test_answers_that_would_change_are_listed_the_newest_first(history, exported, spec, images):
    names, shown = exported.class_names, images[:50]
    now = [names[place] for place in LiteRTModel(exported.tflite)(shown).argmax(1)]
    other = {number: names[(names.index(now[number]) + 1) % 3] for number in (7, 30)}
    history.add(
        [
            entry(number, dataset="dots", label=other.get(number, now[number]), image=shown[number].tobytes())
            for number in range(50)
        ]
    )
    history.add([entry(60, dataset="dots", image=None), entry(61)])
    everything = AnswerFilter(dataset="dots")
    result = replay(history.iterate(everything), exported, spec)
    assert (result.count, [before.request_id for before, _ in result.changes]) == (50, ["request-30", "request-7"])
    assert [after.label for _, after in result.changes] == [now[30], now[7]]
    assert replay(history.iterate(replace(everything, since=1010.0)), exported, spec).count == 40


def test_a_refusal_is_an_answer_too(history, exported, spec, images):
    never = exported.__class__(**{**exported.__dict__, "thresholds": exported.thresholds.__class__(0.0, 1.0)})
    history.add([entry(1, dataset="dots", label="", verdict="rejected", image=images[0].tobytes())])
    ((before, after),) = replay(history.iterate(AnswerFilter(dataset="dots")), never, spec).changes
    assert after.label in exported.class_names
    assert 0 < after.confidence <= 1
    assert np.frombuffer(before.image, np.uint8).size == 48


def test_a_number_is_replayed_digit_by_digit(history, exported, spec, images):
    digits = replace(spec, class_names=("0", "1", "2"))
    now = [str(place) for place in LiteRTModel(exported.tflite)(images[:4]).argmax(1)]
    pixels, other = images[:4].tobytes(), {"0": "1", "1": "2", "2": "0"}
    right, wrong = f"{now[0]}{now[1]}\n?{now[3]}", f"{now[0]}{now[1]}\n?{other[now[3]]}"
    history.add(
        [entry(1, dataset="dots", label=right, image=pixels), entry(2, dataset="dots", label=wrong, image=pixels)]
    )
    history.add([entry(3, dataset="dots", label="", verdict="rejected", image=pixels)])
    history.add([entry(4, dataset="dots", label=now[0], image=images[0].tobytes())])
    result = replay(history.iterate(AnswerFilter(dataset="dots")), exported, digits)
    assert result.count == 3
    ((before, after),) = result.changes
    assert (before.request_id, after.label) == ("request-2", right)
    assert 0 < after.confidence < 1


def test_many_pages_are_replayed_a_part_at_a_time(history, exported, spec, images):
    digits = replace(spec, class_names=("0", "1", "2"))
    page = images[:50].tobytes()
    history.add([entry(number, dataset="dots", label="0" * 50, image=page) for number in range(60)])
    assert replay(history.iterate(AnswerFilter(dataset="dots")), exported, digits).count == 60
