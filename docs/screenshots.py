"""Take the screenshots of the documents and the report: `python -m docs.screenshots`.

Needs Debian's chromium, and runs in the MLflow store for the screenshot of their comparison.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.processes import Server, free_ports
from experiments.data.specs import SPECS
from experiments.registry import links
from experiments.registry.store import TrackingStore
from experiments.runs.table import NAMES
from settings import Settings
from tests.helpers.demo_process import DemoProcess
from tests.helpers.digits import DIGITS
from tests.helpers.draw_page import open_draw_page

FOLDER = Path(__file__).parent / "screenshots"
WINDOW = {"width": 1280, "height": 880}


def main() -> None:
    """Draw on the real page with a real mouse and write draw.png, insights.png, api.png and mlflow.png."""
    chromium = shutil.which("chromium") or sys.exit("chromium is not installed (Debian: apt install chromium)")
    demo = DemoProcess()
    try:
        with open_draw_page(chromium, demo.url, smooth=True, viewport=WINDOW) as drawn:
            drawn.draw(DIGITS["2"])
            drawn.submit()
            drawn.page.mouse.move(1, 1)  # off the button
            take(drawn.page, "draw")
            drawn.page.get_by_role("tab", name="Insights").click()
            drawn.page.locator("#insights-tab .main-svg:visible").first.wait_for()
            take(drawn.page, "insights")
            drawn.page.goto(f"{demo.url}docs")
            drawn.page.locator(".opblock").first.wait_for()
            take(drawn.page, "api")
            with mlflow_comparison() as address:
                if address:
                    show_comparison(drawn.page, address)
                    take(drawn.page, "mlflow")
    finally:
        demo.stop()


def take(page: Page, name: str) -> None:
    """Take a screenshot once everything has faded in."""
    page.wait_for_timeout(2000)
    page.screenshot(path=FOLDER / f"{name}.png")


def show_comparison(page: Page, address: str) -> None:
    """Show MLflow's own page without the assistant that it offers on the right."""
    page.goto(address)
    page.get_by_text("Run details", exact=True).first.wait_for()
    assistant = page.get_by_role("button", name="Close", exact=True)
    if assistant.count():
        assistant.first.click()


@contextmanager
def mlflow_comparison() -> Iterator[str]:
    """Yield the URL of MLflow's page with the runs of the first data set side by side; empty while there are none."""
    settings, spec = Settings(), next(iter(SPECS.values()))
    store = TrackingStore.of(settings)
    (port,) = free_ports(1)
    page = f"http://127.0.0.1:{port}"
    address = links.comparison(store, spec, NAMES, page)
    if address is None:
        print("The store has no runs to compare yet: docs/screenshots/mlflow.png stays as it is.")
        yield ""
        return
    command = [sys.executable, "-m", "mlflow", "ui", "--port", str(port), "--workers", "1"]
    server = Server([*command, "--backend-store-uri", settings.mlflow_tracking_uri], page)
    try:
        yield address
    finally:
        server.stop()


if __name__ == "__main__":
    main()
