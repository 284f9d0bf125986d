from serving.prediction.recent_drawings import RecentDrawings


def test_the_oldest_go_when_there_are_too_many_bytes():
    sheet = b"a sheet"
    recent = RecentDrawings(max_bytes=2 * len(sheet))
    for number in ("one", "two", "two", "three"):
        recent.keep(number, [sheet])
    assert [recent.sheets(number) for number in ("one", "two", "three")] == [(), (sheet,), (sheet,)]
    recent.keep("huge", [sheet * 3])
    assert recent.sheets("three") == ()
