"""Uploads that fill the disk or take all file descriptors: bounded for each visitor and for all together."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

from tests.helpers import bombs
from tests.helpers.attacked_page import PATIENCE
from tests.helpers.raw_http import connect, exchange, head

FORM = {"Content-Type": "multipart/form-data; boundary=b"}
PART = b'Content-Disposition: form-data; name="files"; filename="%d.png"\r\n\r\n%b'
TEN_MB = b"\0" * 10_000_000
SECONDS = 8.0
KEPT_MB = 1000  # of all visitors together


def test_uploads_that_fill_the_disk(attack):
    """Uploads as fast as one visitor can send them are refused or take the place of older ones."""
    form = bombs.form([PART % (number, TEN_MB) for number in range(6)])
    end, most = time.monotonic() + SECONDS, 0.0
    with ThreadPoolExecutor(4) as threads:
        while time.monotonic() < end:
            replies = list(threads.map(lambda _: exchange(attack, "POST", "/gradio_api/upload", FORM, form), range(4)))
            assert {reply.status for reply in replies} <= {0, 200, 413, 429, 503, 507}
            most = max(most, kept_mb(attack))
    assert most < KEPT_MB
    assert replies[-1].status != 200 or most < KEPT_MB / 2


def test_uploads_that_hold_files_open(attack):
    """Uploads of a thousand files each that stop before their end take no one else the files that may be open."""
    parts = bombs.form([PART % (number, b"a") for number in range(900)])
    announced = FORM | {"Content-Length": str(len(parts) + 1000)}
    with ExitStack() as opened:
        for _ in range(20):
            with suppress(OSError):
                connection = opened.enter_context(connect(attack))
                connection.sendall(head(attack, "POST", "/gradio_api/upload", announced) + parts[:-10])
        time.sleep(PATIENCE / 2)


def test_uploads_that_are_cut_off_leave_nothing(attack):
    """Uploads that are cut off or refused leave no file behind."""
    before = kept_mb(attack)
    form = bombs.form([PART % (number, TEN_MB) for number in range(3)])
    for _ in range(10):
        with connect(attack) as connection, suppress(ConnectionError):
            connection.sendall(head(attack, "POST", "/gradio_api/upload", FORM | {"Content-Length": str(len(form))}))
            connection.sendall(form[:-1000])
    end = time.monotonic() + PATIENCE
    while kept_mb(attack) > before + 1 and time.monotonic() < end:
        time.sleep(0.1)
    assert kept_mb(attack) <= before + 1


def kept_mb(attack):
    """MB of all files that the page keeps of visitors, spooled ones aside."""
    sizes = 0
    for path in (attack.page.folder / "uploads").rglob("*"):
        with suppress(OSError):  # deleted meanwhile
            sizes += path.stat().st_size
    return sizes / 1e6
