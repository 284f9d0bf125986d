import io

import numpy as np
from PIL import Image

from serving.prediction.recent_drawings import SIDE, RecentDrawings, small_png


def png(*size, colour=0):
    buffer = io.BytesIO()
    Image.fromarray(np.full((*size, 3), colour, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_drawing_is_found_as_one_small_picture():
    recent = RecentDrawings()
    recent.keep("one", [png(500, 1000, colour=255)])
    assert Image.open(io.BytesIO(recent.drawing("one"))).size == (SIDE, SIDE // 2)
    assert recent.drawing("other") is None


def test_the_oldest_go_when_there_are_too_many_bytes():
    sheet = png(10, 10)
    recent = RecentDrawings(max_bytes=2 * len(sheet))
    for number in ("one", "two", "two", "three"):
        recent.keep(number, [sheet])
    assert [recent.drawing(number) is None for number in ("one", "two", "three")] == [True, False, False]
    recent.keep("huge", [sheet * 3])
    assert recent.drawing("three") is None


def test_what_cannot_be_read_is_no_drawing():
    assert small_png([b"nothing"]) is None
