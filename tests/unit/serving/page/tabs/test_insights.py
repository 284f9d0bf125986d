import asyncio
import dataclasses
import json
import time

import gradio as gr
import pytest
from starlette.requests import Request

from experiments.insights import figures as files
from serving.core.access import Caller
from serving.page.tabs.insights import COUNTS, RATES, VIEWS, Rendered, render, with_traffic
from serving.page.widgets import insight_charts as charts
from tests.helpers.entries import entry
from tests.helpers.figures import changed, dataset, figures
from tests.helpers.tab_events import component_id, trigger


class Explained:
    """The fixture's classifier with another bundle."""

    def __init__(self, classifier, bundle):
        self.bundle, self.since = bundle, classifier.since
        self.describe = classifier.describe


@pytest.fixture(scope="module")
def bundle(classifier, tmp_path_factory):
    """The figures of three classes, which is all that the tab looks at."""
    folder = tmp_path_factory.mktemp("bundle")
    files.write(*figures(), folder)
    shape = dataset().spec.image_shape
    return dataclasses.replace(classifier.bundle, folder=folder, input_shape=shape)


@pytest.fixture(scope="module")
def page(served, classifier, bundle, settings):
    """Without a history, which would be there for a later visitor and not yet for the first."""
    return served(Explained(classifier, bundle), settings.model_copy(update={"history": False}))


def open_tab(url, session=None):
    return trigger(url, component_id(url, "tabitem", label="Insights"), "select", ["mnist", None], session=session)


@pytest.fixture(scope="module")
def shown(page):
    return open_tab(page, "visitor")


def choose(url, kind, label, *values, event="input"):
    """What a visitor who has opened the tab gets by choosing."""
    (update,) = trigger(url, component_id(url, kind, label=label), event, ["mnist", *values], session="visitor")
    return update


def texts(outputs):
    return " ".join(each if isinstance(each, str) else json.dumps(each) for each in outputs)


def test_opening_the_tab_shows_every_plot_with_its_meaning(shown):
    plots = [json.loads(each["value"]["plot"]) for each in shown if isinstance(each, dict) and "plot" in str(each)]
    drawn = [view for view in VIEWS.values() if view.chart(figures()[0])["data"]]
    assert len(plots) == len(drawn) == len(VIEWS) - 2  # nobody draws these, and none is rejected
    assert all(plot["data"] for plot in plots)
    assert "117 of 120 test images are classified correctly" in texts(shown)
    assert "Nobody draws images of this data set" in texts(shown)


def test_the_commonest_mistake_is_shown_first_and_others_on_demand(page, shown):
    assert "2 of class none are answered one." in texts(shown)
    cell = choose(page, "dropdown", "Answered", "one", "many")
    assert "1 of class one are answered many." in cell
    assert 'alt="one, answered many, 70 %"' in cell
    assert "No many of the test set is taken for none." in choose(page, "dropdown", "True class", "many", "none")
    with pytest.raises(PermissionError, match="not in the list of choices"):
        choose(page, "dropdown", "True class", "<b>", "none")


def test_the_matrix_shows_counts_or_rates(page):
    charts = [choose(page, "radio", "Numbers", numbers, event="change") for numbers in (COUNTS, RATES)]
    texts = [{each["text"] for each in json.loads(chart["plot"])["layout"]["annotations"]} for chart in charts]
    assert texts == [{"38", "2", "39", "1", "40"}, {"95.0", "5.0", "97.5", "2.5", "100.0"}]


def test_a_class_shows_its_typical_and_unusual_images(page, shown):
    pictures = choose(page, "dropdown", "Class", "many")
    assert "Typical many" in pictures
    assert pictures.count("<img") == 20


def test_a_second_visit_sends_nothing_again(page, shown):
    again = open_tab(page, "visitor")
    assert "plot" not in texts(again)
    assert all(each["__type__"] == "update" for each in again if each is not None)


def test_another_visitor_sees_the_same(page, shown):
    assert texts(open_tab(page, "another")) == texts(shown)


def test_a_model_without_figures_says_how_to_make_them(served, classifier, settings):
    with pytest.raises(PermissionError, match="python -m experiments insights"):
        open_tab(served(classifier, settings))


def sent_by(is_operator):
    """An event's request, as the middleware hands it on."""
    return gr.Request(Request({"type": "http", "state": {"caller": Caller("id", "192.0.2.1", is_operator)}}))


def test_only_the_operator_sees_what_people_send(opened, classifier, settings, tmp_path):
    services = opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path}))
    services.recorder.add([entry(number, answered_at=time.time(), label="one") for number in range(7)])
    services.recorder.flush()
    insights = changed(figures()[0], dataset="mnist")
    with_answers = asyncio.run(with_traffic(services, insights, sent_by(is_operator=True)))
    assert with_answers.counts["traffic"] == (0, 7, 0)
    assert asyncio.run(with_traffic(services, insights, sent_by(is_operator=False))) == insights


def test_the_figures_are_made_once_a_model(bundle, tmp_path):
    cache: dict[str, Rendered] = {}
    first = render(bundle, cache)
    assert render(bundle, cache) is first
    other = dataclasses.replace(bundle, folder=tmp_path, sha256=bundle.sha256 | {"model.tflite": "c" * 64})
    files.write(*figures(sha256="c" * 64), tmp_path)
    assert render(other, cache) is not first


def test_charts_bend_with_their_figures():
    insights = figures()[0]
    for traffic, splits in (((1, 0, 0), 3), ((10, 10, 10), 4)):
        with_answers = changed(insights, counts=insights.counts | {"traffic": traffic})
        assert len(charts.distribution(with_answers)["data"]) == splits
    assert charts.curves(changed(insights, curves=()))["data"][0]["x"] == []
    traces = charts.embedding(insights)["data"]
    assert [len(trace["x"]) for trace in traces] == [40, 40, 40]
    assert traces[0]["marker"]["symbol"].count("x") == 2
    heat = charts.confusion(insights)["data"][0]
    assert heat["z"][0] == [0, 5, 0]
