import pytest

from serving.core.last_hour import MINUTES, LastHour


def test_requests_and_latencies_are_counted_by_minute_and_forgotten_after_an_hour():
    now = [1_000_000.0]
    hour = LastHour(lambda: now[0])
    hour.count_request("200")
    now[0] += 60
    for milliseconds in (1.0, 10.0, 10.0, 10.0, 100.0):
        hour.count_answer(milliseconds)
    hour.count_request("422")
    hour.count_request("422")
    minutes = hour.minutes()
    assert len(minutes) == MINUTES
    assert [minute.statuses for minute in minutes[-2:]] == [{"200": 1}, {"422": 2}]
    assert minutes[-1].percentile(0.5) == pytest.approx(10, rel=0.06)
    assert minutes[-1].percentile(0.99) == pytest.approx(100, rel=0.06)
    assert minutes[-2].percentile(0.5) is None
    assert minutes[-1].start - minutes[0].start == 60 * (MINUTES - 1)
    now[0] += 3600
    assert not any(minute.statuses for minute in hour.minutes())
    for _ in range(3 * MINUTES):
        now[0] += 60
        hour.count_answer(0.0)
    assert len(hour._ring) == MINUTES, "the ring is bounded"
