"""The Status tab as the operator sees it."""

from serving.page.tabs.status import REFRESH_S
from tests.helpers.draw_page import open_draw_page


def test_it_asks_again_and_again_while_it_is_in_front_and_never_else(chromium, url):
    with open_draw_page(chromium, url, viewport={"width": 1280, "height": 900}, device_scale_factor=0.5) as draw_page:

        def asked():
            return sum("/queue/join" in each for each in draw_page.requested)

        draw_page.page.clock.install()  # hastens the timer; whatever waits for the server goes on as ever
        draw_page.page.get_by_role("tab", name="Status").click()
        draw_page.page.locator("#status").get_by_text("test accuracy").first.wait_for()
        for _ in range(2):
            before = asked()
            draw_page.page.clock.run_for(1000 * REFRESH_S)
            draw_page.wait_for(lambda before=before: asked() > before)
        draw_page.page.get_by_role("tab", name="Draw").click()
        draw_page.page.wait_for_timeout(1000)  # what was asked for before
        last = asked()
        draw_page.page.clock.run_for(4000 * REFRESH_S)
        draw_page.page.wait_for_timeout(500)  # for the requests that this would have made
        assert asked() == last
