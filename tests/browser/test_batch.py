"""The Batch tab as people use it: files in, gallery, figures and table out."""

import csv
import io
import zipfile

import pytest
from playwright.sync_api import expect

from serving.page.page import TITLE
from tests.helpers.digits import DIGITS, draw_on_paper
from tests.helpers.draw_page import open_draw_page


@pytest.fixture(scope="module")
def opened_page(chromium, url):
    with open_draw_page(chromium, url, viewport={"width": 1280, "height": 1400}, device_scale_factor=0.5) as draw_page:
        yield draw_page
        assert draw_page.foreign_requests() == []


@pytest.fixture
def batch_page(opened_page):
    opened_page.page.reload()
    opened_page.open_tab("Batch")
    return opened_page.page


def read_all(page, *files):
    """Upload the files, press the button and return the summary."""
    upload(page, *files)
    page.get_by_role("button", name="Read all").click()
    return page.locator("#batch-summary").get_by_text("read in").inner_text()


def upload(page, *files):
    page.locator("#batch-files input[type=file]").set_input_files(files)
    page.locator("#batch-files .file-preview").wait_for()  # shown once the server has them all


def table(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    return list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))


def test_a_zip_with_labels_gets_gallery_chart_table_and_the_share_that_is_right(batch_page, tmp_path):
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for digit in DIGITS:
            archive.write(draw_on_paper(DIGITS[digit], tmp_path / f"{digit}.png"), f"{digit}/drawn.png")
        archive.write(tmp_path / "7.png", "3/seven.png")
        archive.writestr("3/broken.png", b"no picture")
    summary = read_all(batch_page, tmp_path / "digits.zip")
    assert "11 pictures" in summary
    assert "1 file could not be used" in summary
    assert "90.91 % of the 11" in summary
    batch_page.locator("#batch-gallery img").nth(10).wait_for()
    expect(batch_page.locator("#batch-gallery").get_by_text("7, not 3")).to_have_count(1)
    batch_page.locator("#batch-confusion").get_by_text("none").first.wait_for()
    batch_page.locator("#batch-chart .main-svg").first.wait_for()
    rows = table(batch_page)
    assert [row["Answer"] for row in rows] == [*DIGITS, "7", ""]
    assert [row["Right"] for row in rows] == ["yes"] * 10 + ["no", ""]
    assert "not a picture" in rows[-1]["Note"]


def test_pictures_without_labels_are_read_and_nothing_is_called_right(batch_page, tmp_path):
    files = [draw_on_paper(DIGITS[digit], tmp_path / f"scan{digit}.png") for digit in "47"]
    summary = read_all(batch_page, *files)
    assert summary.startswith("2 pictures read")
    assert "right" not in summary
    assert [row["Answer"] for row in table(batch_page)] == ["4", "7"]
    expect(batch_page.locator("#batch-confusion")).to_be_hidden()


def test_a_broken_zip_and_nothing_at_all_get_worded_errors(batch_page, tmp_path):
    batch_page.get_by_role("button", name="Read all").click()
    batch_page.get_by_text("Choose pictures or a zip first.").wait_for()
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    upload(batch_page, tmp_path / "broken.zip")
    batch_page.get_by_role("button", name="Read all").click()
    batch_page.get_by_text("This is not a complete zip.").wait_for()


def test_names_of_files_stay_text(batch_page, tmp_path):
    """Neither HTML nor Markdown, in the list of files, the table or an error: no picture of another host is fetched."""
    markup = ("<img src='x' onerror='document.title = 1'>7.png", "![7](gone.png).png", "<b>7.png")
    with zipfile.ZipFile(tmp_path / "names.zip", "w") as archive:
        for name in markup:
            archive.write(draw_on_paper(DIGITS["7"], tmp_path / "7.png"), name)
    read_all(batch_page, tmp_path / "names.zip")
    assert [row["File"] for row in table(batch_page)] == list(markup)
    for name in markup:
        batch_page.locator("#batch-table").get_by_text(name).first.wait_for(state="attached")
    assert batch_page.locator("#batch-table img, #batch-table b, #batch-gallery b").count() == 0
    picture = {"mimeType": "image/png", "buffer": (tmp_path / "7.png").read_bytes()}
    read_all(batch_page, *({"name": name, **picture} for name in markup))
    assert batch_page.locator("img[src='x'], img[src*='gone']").count() == 0
    assert batch_page.title() == TITLE
