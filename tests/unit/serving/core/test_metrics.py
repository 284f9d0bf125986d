from serving.core.metrics import Metrics


def test_a_number_counts_once_as_an_answer_and_by_each_digit_as_labels():
    metrics = Metrics()
    metrics.count_answer("mnist", "api", "sure", "7", 2.0)
    metrics.count_answer("mnist", "api", "unsure", "", 4.0, [("sure", "7"), ("unsure", "1"), ("rejected", "")])
    tally = metrics.tallies["mnist"]
    assert (tally.verdicts, tally.sources) == ({"sure": 1, "unsure": 1}, {"api": 2})
    assert tally.labels == {"7": 2, "1": 1}
    text = metrics.exposition(0, {}).decode()
    for verdict, label, count in (("sure", "7", 2.0), ("unsure", "1", 1.0), ("rejected", "", 1.0)):
        assert f'answers_total{{dataset="mnist",label="{label}",source="api",verdict="{verdict}"}} {count}' in text
    assert 'answer_seconds_count{dataset="mnist",source="api"} 2.0' in text
