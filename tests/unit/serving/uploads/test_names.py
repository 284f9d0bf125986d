from hypothesis import given
from hypothesis import strategies as st

from serving.uploads.names import is_added_by_system, leads_out, tidy


def test_a_name_is_shown_whatever_system_wrote_it():
    assert tidy("set\\7\\a.png") == "set/7/a.png"
    assert (
        tidy("gro\u0308\u00dfe\u3000\x07\ud800.png") == "größe \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.png"
    )


def test_what_systems_add_is_told_from_what_people_send():
    for name in ("._a.png", "x/.ipynb_checkpoints/a.png", "THUMBS.DB", "$RECYCLE.BIN/a.png", "7/Icon\r"):
        assert is_added_by_system(name), name
    for name in ("../a.png", "./7/a.png", "a.b/c..png", "thumbs.db.png"):
        assert not is_added_by_system(name), name


def test_a_time_in_a_name_is_no_drive():
    assert leads_out("c:/a.png")
    assert not leads_out("Scan 10:30:00.png")


@given(st.text(max_size=30))
def test_any_name_can_be_shown(name):
    assert tidy(name).isprintable()
    assert "\\" not in tidy(name)
    assert tidy(tidy(name)) == tidy(name)
