"""One page for the attacks of a file, and a table of what each has shown."""

import inspect
import resource

import pytest

from tests.helpers.attacked_page import AttackedPage, attack_on

CONNECTIONS = 4096  # that an attack may hold open


@pytest.fixture(scope="session", autouse=True)
def _many_connections():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < CONNECTIONS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(CONNECTIONS, hard), hard))


@pytest.fixture(scope="module")
def page():
    page = AttackedPage()
    yield page
    assert page.stop().endswith("Stopped.\nexit status 0\n")


@pytest.fixture
def attack(page, request, record_property):
    """An attack on `page` of this module, if it has one."""
    parameter = request.node.name.partition("[")[2].rstrip("]")
    figures = {"proves": f"{parameter}: " * bool(parameter) + " ".join(inspect.getdoc(request.function).split())}
    record_property("attack", figures)
    with attack_on(page, figures) as attack:
        yield attack


def pytest_terminal_summary(terminalreporter):
    """A line for each attack: what it has shown, and what it cost."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [report.user_properties for report in reports if getattr(report, "when", "") == "teardown"]
    shown = [value for pairs in properties for name, value in pairs if name == "attack"]
    if shown:
        terminalreporter.section("attacks: the other visitor's slowest answer, MB that page and workers held")
    for figures in shown:
        columns = "{slowest:5.1f} s {page:+6.0f} MB {workers:6.0f} MB  {proves}"
        terminalreporter.write_line(columns.format(**figures))
