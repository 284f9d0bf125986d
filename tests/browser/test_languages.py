"""The page in the browser's language; the server answers in the one that the page is in."""

import re

from playwright.sync_api import expect

from tests.helpers.draw_page import open_draw_page


def test_the_page_answers_in_the_language_that_it_shows(chromium, url):
    size = {"width": 1280, "height": 800}
    with open_draw_page(chromium, url, locale="de-DE", viewport=size, device_scale_factor=0.5) as page:
        assert page.preprocessed.count() == 0
        page.press_and_wait("Absenden")
        expect(page.answer).to_have_text(re.compile("^Noch nichts gezeichnet"))
        expect(page.note).to_contain_text("Es antwortet")
        page.press("Warum diese Antwort?")
        expect(page.page.locator(".toast-body")).to_contain_text("Es gibt keine Antwort zu erklären.")
        page.page.evaluate("document.documentElement.lang = 'en'")  # as Gradio does at a switch in its settings
        page.press_and_wait("Absenden")
        expect(page.answer).to_have_text(re.compile("^Nothing drawn yet"))
        assert page.errors == []
