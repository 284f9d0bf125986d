"""Who has many addresses: an IPv6 /64, or a whole network."""

import base64
import io
import itertools

import pytest
from PIL import Image, ImageDraw

from tests.helpers.attacked_page import AttackedPage

ROOM = 60  # for corrections: a client may have 6 pending, a network 20
numbers = itertools.count()


@pytest.fixture(scope="module")
def page():
    page = AttackedPage(DEMO_TRUSTED_PROXIES="127.0.0.0/8", DEMO_MAX_PENDING_CORRECTIONS=str(ROOM))
    yield page
    assert page.stop().endswith("Stopped.\nexit status 0\n")


def another_drawing():
    """A line that no other drawing has, in base64."""
    number, sheet, file = next(numbers), Image.new("L", (100, 100), 255), io.BytesIO()
    ImageDraw.Draw(sheet).line([(20, 20), (30 + number % 60, 80), (80, 20 + number // 60 * 9)], fill=0, width=9)
    sheet.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def corrections(attack, addresses):
    """Statuses of a correction from each of these addresses."""
    with attack.client() as client:
        return [
            client.post(
                "/api/feedback",
                json={"label": "3", "image": another_drawing()},
                headers={"X-Forwarded-For": address},
            ).status_code
            for address in addresses
        ]


def test_the_addresses_of_a_64_or_of_a_network_shut_nobody_out_of_the_corrections(attack):
    """Corrections from addresses of an IPv6 /64 and of a /48 and a /24: others find room"""
    assert corrections(attack, [f"2001:db8::{number:x}" for number in range(20)]) == [200] * 6 + [503] * 14
    assert corrections(attack, [f"2001:db8:0:{number:x}::1" for number in range(1, 31)]).count(200) == 14
    assert corrections(attack, [f"203.0.113.{number}" for number in range(30)]).count(200) == 20
    assert corrections(attack, ["198.51.100.9", "2001:db8:1::1"]) == [200, 200]
