"""The Photo tab as people use it, on a phone: a file, the camera, why, and nothing again."""

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from experiments.data.specs import SPECS
from tests.helpers.draw_page import open_draw_page


@pytest.fixture
def photo_page(chromium, url):
    with open_draw_page(chromium, url, viewport={"width": 390, "height": 1400}, device_scale_factor=0.5) as draw_page:
        draw_page.open_tab("Photo")
        draw_page.page.locator("#snapshot input[type=file]").wait_for(state="attached")
        yield draw_page.page
        assert draw_page.foreign_requests() == []


def test_a_file_and_the_camera_are_answered_and_explained(photo_page, tmp_path):
    sky = np.linspace((40, 90, 200), (190, 220, 250), 300)[:, np.newaxis].repeat(400, 1)
    sky[140:160, 80:320] = sky[90:210, 190:210] = 250  # something with wings
    Image.fromarray(sky.astype(np.uint8)).save(tmp_path / "photo.jpg")
    tab, answer = photo_page.locator("#photo"), photo_page.locator("#photo").get_by_test_id("label-output-value")

    photo_page.locator("#snapshot input[type=file]").set_input_files(tmp_path / "photo.jpg")
    assert answer.inner_text() in SPECS["cifar10"].class_names
    expect(tab.locator(".block.note")).to_contain_text("Cifar10_Best_Model")
    photo_page.get_by_role("button", name="Why this answer?").last.click()
    photo_page.locator(".why img").wait_for()
    photo_page.wait_for_function("document.documentElement.scrollWidth <= 390")

    photo_page.locator("#snapshot").get_by_role("button", name="Remove Image").click()
    answer.wait_for(state="detached")
    photo_page.locator("#snapshot").get_by_role("button", name="Capture from camera").click()
    photo_page.locator("#snapshot").get_by_role("button", name="Click to Access Webcam").click()
    photo_page.wait_for_function("document.querySelector('#snapshot video')?.videoWidth > 0")
    photo_page.locator("#snapshot").get_by_role("button", name="capture photo").click()
    answer.wait_for()
