import dataclasses
import json
import time
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from serving.page.tabs.status import day_report, details_report, status_line
from serving.prediction.predict import predict_images
from serving.prediction.prepare import Wanted, prepare_picture
from tests.helpers.entries import entry
from tests.helpers.tab_events import component_id, trigger


@pytest.fixture
def fresh(opened, classifier, settings, tmp_path):
    return opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path}))


def test_the_report_has_model_figures_and_the_last_errors(fresh, classifier, seven_png):
    image = prepare_picture(Wanted("mnist"), [seven_png]).image
    fresh.record("mnist", "a-request", "api", "203.0.113.7", 12.5, predict_images(classifier, [image]))
    fresh.metrics.add_problem("the-request", 500, "<broken>")
    text = details_report(fresh)
    assert classifier.describe() in text
    assert "sure: 1" in text
    assert "p50 12.5" in text
    assert "test accuracy" in text
    assert "the-request" in text
    assert "&lt;broken&gt;" in text
    assert "203.0.113.7" not in text


def test_the_line_says_what_is_wrong(fresh):
    assert "Database and registry answer" in status_line(fresh)
    away = dataclasses.replace(fresh, registry_calls=SimpleNamespace(problem="no <answer>"))
    line = status_line(away)
    assert 'class="health bad"' in line
    assert "Registry: no &lt;answer&gt;" in line


def test_the_last_day_is_plotted_from_the_history(fresh):
    verdict, *plots = day_report(fresh, "mnist")
    assert "without a reference" in verdict
    assert "No answers in the last day." in plots[0]["value"].plot
    fresh.recorder.history.add([entry(number, answered_at=time.time() - number) for number in range(120)])
    _, *plots = day_report(fresh, "mnist")
    assert '"sure"' in plots[0]["value"].plot
    assert '"last day"' in plots[1]["value"].plot
    assert "Too few answers to compare." in plots[2]["value"].plot
    text, *hidden = day_report(dataclasses.replace(fresh, recorder=None), "mnist")
    assert "Without a history" in text
    assert [plot["visible"] for plot in hidden] == [False] * 3


def test_only_the_operator_gets_it_by_posting_to_the_queue(served, classifier, settings):
    guarded = settings.model_copy(update={"operator_key": SecretStr("right"), "share": True})
    url = served(classifier, guarded)
    shown = component_id(url, "html", elem_id="status")
    for key in ("", "wrong"):
        status, *_, details = trigger(url, None, "tick", [], shown, key=key)
        assert "operator" in status
        assert "model card" not in str(details)
    assert "model card" in trigger(url, None, "tick", [], shown, key="right")[-1]


@pytest.mark.parametrize(("label", "ticking"), [("Status", 1), ("History", 0)])
def test_it_ticks_only_while_its_tab_is_in_front(build, services, label, ticking):
    config = build(services).get_config_file()
    (tab,) = (
        part["id"] for part in config["components"] if part["props"].get("label") == label and part["type"] == "tabitem"
    )
    timers = [part["id"] for part in config["components"] if part["type"] == "timer"]
    (switch,) = (
        dependency
        for dependency in config["dependencies"]
        if [tab, "select"] in map(list, dependency["targets"]) and dependency["outputs"] == timers
    )
    assert sum(update["active"] for update in json.loads(switch["js"].removeprefix("() => "))) == ticking
