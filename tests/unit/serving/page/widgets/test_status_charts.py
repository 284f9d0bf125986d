from serving.core.last_hour import LastHour
from serving.learning.drift import Finding
from serving.page.widgets import status_charts as charts


def test_the_hour_is_plotted_by_minute():
    hour = LastHour(lambda: 7200.0)
    assert charts.requests(hour.minutes())["layout"]["annotations"][0]["text"] == "No requests in the last hour."
    assert charts.latencies(hour.minutes())["data"] == []
    hour.count_request("200")
    hour.count_request("503")
    hour.count_answer(10.0)
    requests, latencies = charts.requests(hour.minutes()), charts.latencies(hour.minutes())
    assert [(trace["name"], trace["x"][-1], trace["y"][-1]) for trace in requests["data"]] == [
        ("200", "1970-01-01 02:00", 1), ("503", "1970-01-01 02:00", 1)
    ]  # fmt: skip
    assert [trace["name"] for trace in latencies["data"]] == ["p50", "p95", "p99"]
    assert latencies["data"][0]["y"][-2:] == [None, latencies["data"][2]["y"][-1]]


def test_labels_stand_beside_the_models_data_as_shares():
    model, day = charts.labels(("0", "1"), {"1": 3, "0": 1}, (50, 50))["data"]
    assert (model["y"], day["y"]) == ([50, 50], [25, 75])


def test_without_answers_a_sentence_stands_in_place_of_axes():
    empty = charts.labels(("0", "1"), {}, (50, 50))
    assert empty["data"] == []
    assert empty["layout"]["annotations"][0]["text"] == "No answers in the last day."
    assert not empty["layout"]["xaxis"]["visible"]


def test_a_feature_that_drifted_stands_out_against_its_threshold():
    findings = [Finding("labels", "chi-square", 0.1, 0.5, False, ""), Finding("ink", "KS", 0.4, 0.0, True, "")]
    moved, least = charts.drift(findings)["data"]
    assert moved["marker"]["color"] == [charts.BLUE, charts.ORANGE]
    assert least["y"] == [0.3, 0.25]
    assert charts.drift([])["layout"]["annotations"][0]["text"] == "Too few answers to compare."
