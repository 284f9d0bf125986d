from serving.storage.records import AnswerFilter
from tests.helpers.numbers import number


def test_a_number_is_kept_whole_and_counted_by_its_digits(opened, classifier, settings, tmp_path):
    services = opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path}))
    predictions = [number("42\n?7", "unsure"), number("42", "rejected"), number("7" * 350)]
    services.record("mnist", "a-request", "batch", "203.0.113.7", 9.0, predictions)
    services.recorder.flush()
    entries = services.recorder.history.search(AnswerFilter(), 9)[::-1]
    assert [(entry.label, entry.verdict) for entry in entries[:2]] == [("42\n?7", "unsure"), ("", "rejected")]
    assert [entry.image for entry in entries] == [prediction.image.tobytes() for prediction in predictions]
    assert entries[2].label == "7" * 300  # PostgreSQL refuses longer ones
    tally = services.metrics.tallies["mnist"]
    assert tally.labels == {"4": 1, "2": 1, "7": 351}
    assert sum(tally.verdicts.values()) == 3
