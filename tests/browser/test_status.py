"""The Status tab as the operator uses it."""

from serving.page.tabs.status import REFRESH_S
from tests.helpers.draw_page import open_draw_page


def test_it_refreshes_while_it_is_in_front_and_never_else(chromium, demo):
    options = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 0.5}
    with open_draw_page(chromium, demo.url, operator_link=demo.operator_link, **options) as draw_page:

        def events():
            return sum("/queue/join" in address for address in draw_page.requests)

        clock = draw_page.page.clock
        clock.install()  # drives the timer; what waits for the server goes on as ever
        draw_page.open_tab("Status")
        draw_page.page.locator("#status-details").get_by_text("test accuracy").first.wait_for()
        for _ in range(2):
            before = events()
            clock.run_for(1000 * REFRESH_S)
            draw_page.wait_for(lambda before=before: events() > before)
        draw_page.open_tab("Draw")
        draw_page.page.wait_for_timeout(1000)  # for events sent before
        last = events()
        clock.run_for(4000 * REFRESH_S)
        draw_page.page.wait_for_timeout(500)  # for the requests that this would have made
        assert events() == last
