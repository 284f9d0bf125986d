"""The pad under a finger and a second one, by the browser's own touch events."""

import pytest

from tests.helpers.draw_page import open_draw_page

PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1, "has_touch": True, "is_mobile": True}


@pytest.fixture
def phone(chromium, url):
    with open_draw_page(chromium, url, **PHONE) as draw_page:
        yield draw_page


@pytest.fixture
def touch(phone):
    """Sends a touch event with the points (x, y), 0 to 1 over the sheet, that are down then."""
    session = phone.page.context.new_cdp_session(phone.page)
    left, top, width, height = phone._sheet()  # px

    def send(kind, *points):
        down = [{"id": i, "x": left + x * width, "y": top + y * height} for i, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": down})

    return send


def test_a_second_finger_changes_nothing(phone, touch):
    touch("touchStart", (0.3, 0.2))
    touch("touchMove", (0.3, 0.5))
    touch("touchStart", (0.3, 0.5), (0.8, 0.5))
    touch("touchMove", (0.3, 0.8), (0.8, 0.6))
    touch("touchEnd", (0.3, 0.8))
    touch("touchEnd")
    ink = phone.ink()
    assert ink == pytest.approx(0.067, abs=0.02)  # one straight line, a tenth of the sheet wide; a bar across adds 0.05
    assert phone.page.evaluate("[scrollX, scrollY, visualViewport.scale]") == [0, 0, 1]
