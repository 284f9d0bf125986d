"""The Batch tab as a person handles it: files in, gallery, figures and table out."""

import csv
import io
import zipfile

import pytest
from PIL import Image, ImageDraw

from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import TIMEOUT_S, open_draw_page


@pytest.fixture(scope="module")
def batch_page(chromium, url):
    with open_draw_page(chromium, url, viewport={"width": 1280, "height": 1400}, device_scale_factor=0.5) as draw_page:
        page = draw_page.page
        page.get_by_role("tab", name="Batch").click()
        yield page
        outside = [address for address in draw_page.requested if not address.startswith((url, "data:", "blob:"))]
        assert outside == []


def drawn(digit):
    sheet = Image.new("RGB", (200, 200), "white")
    for stroke in DIGITS[digit]:
        ImageDraw.Draw(sheet).line([(200 * x, 200 * y) for x, y in stroke], fill="black", width=10, joint="curve")
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def read_all(page, *files):
    """Chooses the files, presses the button and returns the summary."""
    page.reload()
    page.get_by_role("tab", name="Batch").click()
    page.locator("#batch-files input[type=file]").set_input_files(files)
    page.get_by_role("button", name="Read all").click()
    summary = page.locator("#batch-summary").get_by_text("read in")
    summary.wait_for(timeout=1000 * TIMEOUT_S)
    return summary.inner_text()


def table(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    return list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))


def test_a_zip_with_labels_gets_gallery_chart_table_and_the_share_that_is_right(batch_page, tmp_path):
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for digit in DIGITS:
            archive.writestr(f"{digit}/drawn.png", drawn(digit))
        archive.writestr("3/seven.png", drawn("7"))
        archive.writestr("3/broken.png", b"no picture")
    summary = read_all(batch_page, tmp_path / "digits.zip")
    assert "11 pictures" in summary
    assert "1 file could not be used" in summary
    assert "90.91 % of the 11" in summary
    batch_page.locator("#batch-gallery img").nth(10).wait_for()
    assert batch_page.locator("#batch-gallery").get_by_text("7, not 3").count() == 1
    batch_page.locator("#batch-confusion").get_by_text("none").first.wait_for()
    batch_page.locator("#batch-chart .main-svg").first.wait_for()
    rows = table(batch_page)
    assert [row["Answer"] for row in rows] == [*DIGITS, "7", ""]
    assert [row["Right"] for row in rows] == ["yes"] * 10 + ["no", ""]
    assert "not a picture" in rows[-1]["Note"]


def test_pictures_without_labels_are_read_and_nothing_is_called_right(batch_page, tmp_path):
    for digit in "47":
        (tmp_path / f"scan{digit}.png").write_bytes(drawn(digit))
    summary = read_all(batch_page, tmp_path / "scan4.png", tmp_path / "scan7.png")
    assert summary.startswith("2 pictures read")
    assert "right" not in summary
    assert [row["Answer"] for row in table(batch_page)] == ["4", "7"]
    assert not batch_page.locator("#batch-confusion").is_visible()


def test_a_broken_zip_and_nothing_at_all_get_worded_errors(batch_page, tmp_path):
    batch_page.reload()
    batch_page.get_by_role("tab", name="Batch").click()
    batch_page.get_by_role("button", name="Read all").click()
    batch_page.get_by_text("Choose pictures or a zip first.").wait_for()
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    batch_page.locator("#batch-files input[type=file]").set_input_files(tmp_path / "broken.zip")
    batch_page.get_by_role("button", name="Read all").click()
    batch_page.get_by_text("This is not a complete zip.").wait_for()
