"""A link to an answer, made by one visitor and opened by another."""

from playwright.sync_api import expect

from serving.page.widgets.share import LOST
from tests.helpers.digits import DIGITS


def test_another_browser_sees_the_drawing_and_its_answer(draw_page, url):
    draw_page.draw(DIGITS["4"])
    assert draw_page.submit() == "4"
    draw_page.press("Share this answer")
    field = draw_page.page.locator(".share-link textarea")
    draw_page.wait_for(lambda: field.count() and field.input_value())
    link = field.input_value()
    assert link.startswith(f"{url}#answer=")
    with draw_page.page.context.browser.new_context(viewport={"width": 390, "height": 844}) as context:
        other = context.new_page()
        errors, addresses = [], []
        other.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108 playwright marks functions
        other.on("request", lambda request: addresses.append(request.url))
        other.goto(link)
        shared = other.locator("#shared-answer .shared")
        expect(shared.locator(".shared-label")).to_have_text("4")
        assert shared.locator("img").evaluate("image => image.naturalWidth") == 400
        assert shared.bounding_box()["width"] <= 390
        assert not [address for address in addresses if link.partition("=")[2] in address.partition("#")[0]]
        other.goto(f"{url}#answer=made-up")  # another link, pasted into the same tab
        expect(shared).to_have_text(LOST)
        other.goto(url)
        expect(other.locator("#shared-answer")).to_be_hidden()
        assert not errors
    draw_page.start_afresh("Clear")
    expect(draw_page.page.locator(".share-link")).to_be_hidden()
