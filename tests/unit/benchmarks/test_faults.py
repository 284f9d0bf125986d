import httpx
import pytest

from benchmarks.faults import HEADINGS, Outcome, line, report
from benchmarks.faulty_system import FAULTS, Correction, Period, Stop
from benchmarks.open_loop import Answer, predict

HEALTHY = Period([Answer(10.0, 200, str(number)) for number in range(99)] + [Answer(20.0, 200, "99")], [True], [])
FAULTY = Period(
    [Answer(20.0, 200, str(number)) for number in range(98)] + [Answer(60.0, 503, ""), Answer(60.0, 0, "")],
    [True, False, True],
    [
        Correction("1", True, "200"),
        Correction("2", False, "503: The history is away."),
        Correction("3", False, "503: The history is away."),
    ],
)
STOP = Stop(1.26, 0, [Answer(1.0, 200, "a"), Answer(1.0, 0, "")], lost=1)
OUTCOME = Outcome("database down", HEALTHY, FAULTY, 1.52, 0, 2, STOP)


def test_a_row_compares_the_fault_with_the_healthy_minute_and_counts_what_failed():
    row = dict(zip(HEADINGS, line(OUTCOME), strict=True))
    assert (row["answers"], row["failures"]) == ("100", "2")
    assert (row["p50 ms"], row["× healthy p50"]) == ("20.0", "2.00")
    assert float(row["× healthy p99"]) > 3
    assert row["not ready"] == "1 of 3"
    assert row["corrections kept, refused, lost"] == "1, 2, 2"
    assert row["recovered after s"] == "1.5"
    assert row["SIGTERM: s, status"] == "1.3, 0"
    assert row["lost by the stop"] == "1 of 1"


def test_what_refused_corrections_were_told_is_listed_once():
    text = report([OUTCOME], 60, 50)
    assert text.count("database down: a correction is not kept: 503: The history is away.") == 1
    assert "50 predictions a second, 60 s healthy" in text


def test_what_never_recovers_is_named():
    unrecovered = Outcome("database down", HEALTHY, FAULTY, None, 3, 0, STOP)
    assert "never" in line(unrecovered)


def test_each_fault_ends_as_it_began():
    assert {name.split()[-1] for name in FAULTS} == {"hangs", "down", "slow"}
    slow = [fault.slow for name, fault in FAULTS.items() if "slow" in name]
    assert slow == [["database"], ["mlflow"]]


@pytest.mark.parametrize(
    ("handler", "status", "identity"),
    [
        (lambda _: httpx.Response(200, json={"id": "x"}), 200, "x"),
        (lambda _: httpx.Response(503, json={}), 503, ""),
        (lambda request: (_ for _ in ()).throw(httpx.ReadTimeout("", request=request)), 0, ""),
    ],
)
def test_what_came_of_a_prediction(handler, status, identity):
    with httpx.Client(base_url="http://a", transport=httpx.MockTransport(handler)) as client:
        answer = predict(client, b"png", due=0.0)
    assert (answer.status, answer.id) == (status, identity)
    assert answer.milliseconds > 0
