"""The pad under fingers, a palm and a pen, by the browser's own touch and pen events."""

from math import cos, pi, sin

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.helpers.draw_page import open_draw_page

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
BRUSH = 0.1  # of the sheet, as drawn on the screen
EDGE = 0.02  # of the sheet, likewise, that a stroke may end sooner or later
LONGEST = 0.04  # likewise, from the middle of one of the strokes to its ends
PARTS = "[scrollX, scrollY, visualViewport.offsetLeft, visualViewport.offsetTop, visualViewport.scale]"


def strokes(count):
    """So many straight strokes in all directions, side by side on the sheet in rows of six."""
    found = []
    for number in range(count):
        x, y = 0.125 + 0.15 * (number % 6), 0.15 + 0.7 * (number // 6) / 4
        across, down = LONGEST * cos(2 * pi * number / count), LONGEST * sin(2 * pi * number / count)
        found.append([(x - across, y - down), (x + across, y + down)])
    return found


class Hand:
    """Fingers and a pen on the pad of a phone's page; points are (x, y), 0 to 1 over the sheet."""

    def __init__(self, draw_page):
        self.draw_page, self.page = draw_page, draw_page.page
        self.session = draw_page.page.context.new_cdp_session(draw_page.page)
        self.look()

    def look(self):
        """Find the sheet, after a change of the window."""
        self.left, self.top, self.width, self.height = self.draw_page._sheet()  # px

    def touch(self, kind, *points):
        """Send a touch event with the points that are down then, the first finger's first."""
        places = [self._place(point) for point in points]
        down = [{"id": number, "x": x, "y": y} for number, (x, y) in enumerate(places)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": down})

    def draw(self, stroke):
        first, *rest = stroke
        self.touch("touchStart", first)
        for point in rest:
            self.touch("touchMove", point)
        self.touch("touchEnd")

    def pen(self, kind, point, force=0.5):
        """Send an event of a pen, which hovers where it is moved without pressure."""
        x, y = self._place(point)
        down = {"button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1} if force else {}
        options = {"type": kind, "x": x, "y": y, "pointerType": "pen", "force": force, **down}
        self.session.send("Input.dispatchMouseEvent", options)

    def draw_by_pen(self, stroke, force):
        first, *rest = stroke
        self.pen("mousePressed", first, force)
        for point in rest:
            self.pen("mouseMoved", point, force)
        self.pen("mouseReleased", rest[-1], force)

    def assert_drawn(self, lines):
        """The sheet is dark along the lines and nowhere else, but for the edges of the strokes."""
        self.draw_page.ink()  # which waits until nothing changes
        dark = self.draw_page._screenshot() < 100
        least, most = self._mask(lines, BRUSH - 2 * EDGE, dark.shape), self._mask(lines, BRUSH + 2 * EDGE, dark.shape)
        assert dark[least].mean() > 0.99, "ink is missing where the hand was"
        assert dark[~most].mean() < 0.001, "there is ink where the hand was not"

    def _place(self, point):
        return self.left + point[0] * self.width, self.top + point[1] * self.height

    def _mask(self, lines, width, shape):
        """Which pixels of the screenshot such lines cover, bool [h, w]. It leaves out a margin of the sheet."""
        scale = shape[1] / (self.width - 10)
        mask = Image.new("1", (shape[1], shape[0]))
        brush = scale * width * self.width
        for line in lines:
            points = [(scale * (x * self.width - 5), scale * (y * self.height - 10)) for x, y in line]
            ImageDraw.Draw(mask).line(points, fill=1, width=round(brush))
            for x, y in points:
                ImageDraw.Draw(mask).circle((x, y), brush / 2, fill=1)
        return np.asarray(mask)


@pytest.fixture(scope="module")
def open_hand(chromium, url):
    """Opens the page on a phone of a device scale."""

    def opened(scale=1):
        return open_draw_page(chromium, url, **PHONE, device_scale_factor=scale)

    return opened


@pytest.fixture
def hand(open_hand):
    with open_hand() as draw_page:
        yield Hand(draw_page)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_thirty_strokes_draw_where_the_finger_is_and_scroll_nothing(open_hand, scale):
    with open_hand(scale) as draw_page:
        hand = Hand(draw_page)
        for stroke in strokes(30):
            hand.draw(stroke)
        assert hand.page.evaluate(PARTS) == [0, 0, 0, 0, 1]
        hand.assert_drawn(strokes(30))


def test_thirty_strokes_on_a_page_zoomed_in_scroll_nothing(hand):
    hand.session.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 1.5})
    hand.look()
    before = hand.page.evaluate(PARTS)
    for stroke in strokes(30):
        hand.draw(stroke)
    assert hand.page.evaluate(PARTS) == before
    assert before[-1] == 1.5
    hand.session.send("Emulation.setPageScaleFactor", {"pageScaleFactor": 1})
    hand.look()
    hand.assert_drawn(strokes(30))


def test_a_turn_to_landscape_in_the_middle_loses_nothing(hand):
    for stroke in strokes(12)[:6]:
        hand.draw(stroke)
    hand.page.set_viewport_size({"width": 844, "height": 390})
    hand.look()
    hand.draw([(0.2, 0.7), (0.8, 0.7)])
    hand.page.set_viewport_size({"width": 390, "height": 844})
    hand.look()
    hand.assert_drawn([*strokes(12)[:6], [(0.2, 0.7), (0.8, 0.7)]])


def test_a_second_finger_changes_nothing(hand):
    hand.touch("touchStart", (0.3, 0.2))
    hand.touch("touchMove", (0.3, 0.5))
    hand.touch("touchStart", (0.3, 0.5), (0.8, 0.5))
    hand.touch("touchMove", (0.3, 0.8), (0.8, 0.6))
    hand.touch("touchEnd", (0.3, 0.8))
    hand.touch("touchEnd")
    hand.assert_drawn([[(0.3, 0.2), (0.3, 0.8)]])
    assert hand.page.evaluate(PARTS) == [0, 0, 0, 0, 1]


@pytest.mark.parametrize("force", [0.05, 1.0])
def test_a_pen_draws_as_wide_however_hard_it_is_pressed(hand, force):
    hand.draw_by_pen([(0.3, 0.2), (0.3, 0.8)], force)
    hand.assert_drawn([[(0.3, 0.2), (0.3, 0.8)]])


def test_a_palm_that_rests_before_and_while_the_pen_draws_changes_nothing(hand):
    hand.pen("mouseMoved", (0.3, 0.2), force=0)
    hand.touch("touchStart", (0.8, 0.7))
    hand.draw_by_pen([(0.3, 0.2), (0.3, 0.8)], 0.5)
    hand.touch("touchMove", (0.8, 0.8))
    hand.touch("touchEnd")
    hand.assert_drawn([[(0.3, 0.2), (0.3, 0.8)]])
