"""With CI_NO_SKIP=1 a skipped test has failed: where everything is installed nothing may be left out. There, and where
CI is set, as hosts of CI do, Hypothesis tries four times as many examples."""

import os

import pytest
from hypothesis import settings

# Times vary with the machine: a slow example is no failure. The same examples each time make a failure repeatable.
settings.register_profile("project", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("ci", settings.get_profile("project"), max_examples=100)
settings.load_profile("ci" if os.environ.get("CI") or os.environ.get("CI_NO_SKIP") == "1" else "project")

pytest_plugins = ["tests.helpers.small_model"]

LIBRARIES_AMONG_THEMSELVES = (
    "__array__ implementation doesn't accept a copy",  # Keras hands TensorFlow's variables to NumPy 2
    "The ``noload`` loader strategy",  # MLflow asks SQLAlchemy 2.1 so
    "Operation with range is deprecated",  # MLflow asks pandas 3 so of an input example
    ".*Any type hint is inferred as AnyType",  # MLflow of its own type hints
)


def pytest_configure(config):
    for message in LIBRARIES_AMONG_THEMSELVES:
        config.addinivalue_line("filterwarnings", f"ignore:{message}")


def fail_if_skipped(report):
    if os.environ.get("CI_NO_SKIP") == "1" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"CI_NO_SKIP is set, yet this was skipped. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return fail_if_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return fail_if_skipped((yield))
