import dataclasses
import json

import pytest
from pydantic import SecretStr

from experiments.data.specs import SPECS
from experiments.inference import bundle as bundles
from experiments.insights import run_comparison
from experiments.insights.run_comparison import RunComparison
from experiments.training.progress import Epoch
from serving.page.tabs.experiments import PLOTTED, curves
from tests.helpers.filled_store import fill
from tests.helpers.tab_events import component_id, trigger

KEY = "right"


@pytest.fixture(scope="module")
def filled(store_in, exported, tmp_path_factory):
    """A store of three runs."""
    folder = tmp_path_factory.mktemp("filled")
    fill(store_in(folder), SPECS["mnist"], bundles.read(exported.folder), 3)
    return folder


def with_store(settings, folder):
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    changes = {"artifact_dir": folder / "mlartifacts", "operator_key": SecretStr(KEY)}
    return settings.model_copy(update={"mlflow_tracking_uri": uri} | changes)


def open_tab(url, key=KEY):
    tab = component_id(url, "tabitem", label="Experiments")
    table = component_id(url, "html", elem_id="experiments-table")
    return trigger(url, tab, "select", ["mnist", "accuracy"], table, key=key)


def test_the_runs_are_side_by_side_and_the_chosen_one_is_marked(served, classifier, settings, filled):
    url = served(classifier, with_store(settings, filled))
    summary, table, reasons, plot, cost, *of_sweeps = open_tab(url)
    chosen, others = json.loads(cost["value"]["plot"])["data"]
    assert (chosen["text"], chosen["x"], chosen["y"]) == (["run-2 (v1)"], [3], [90.2])
    assert (others["x"], others["y"]) == ([1, 2], [90, 90.1])
    assert [plot["visible"] for plot in of_sweeps] == [False, False]
    assert "run-2 (v1) is in Production because it is best" in summary
    assert table.count("<tr") == 4
    assert table.count("★") == 1
    assert "run-2 (v1) ★" in table
    assert '<th scope="col">log loss</th>' in table
    assert "Verify a larger &lt;network&gt;." in reasons
    figure = json.loads(plot["value"]["plot"])
    assert len(figure["data"]) == 6
    radio = component_id(url, "radio", label="Training curves: validation solid, training dotted")
    (plot,) = trigger(url, radio, "change", ["mnist", "loss"], key=KEY)
    assert json.loads(plot["value"]["plot"])["data"][0]["y"] == [1.0, 0.5]


def test_without_a_store_the_shipped_model_stands_alone_and_none_is_made(served, classifier, settings, tmp_path):
    summary, table, _, plot, cost, *_ = open_tab(served(classifier, with_store(settings, tmp_path)))
    assert "the model that came with the project answers" in summary
    assert "shipped (v3) ★" in table
    assert "99.50" in table
    assert plot["visible"] is cost["visible"] is False
    assert not (tmp_path / "mlflow.db").exists()


def test_nobody_but_the_operator_sees_it(served, classifier, settings, filled):
    url = served(classifier, with_store(settings, filled))
    summary, *others = open_tab(url, key="wrong")
    assert "operator" in summary
    assert "run-2" not in str(others)
    with pytest.raises(PermissionError, match="operator"):
        trigger(
            url,
            component_id(url, "radio", label="Training curves: validation solid, training dotted"),
            "change",
            ["mnist", "loss"],
        )
    assert "run-2" in open_tab(url)[0]


def test_of_many_runs_the_newest_are_plotted(bundle):
    (shipped,) = run_comparison.shipped(bundle).runs
    changes = {"curves": (Epoch(1, 1.0, 0.5, 1.0, 0.5),), "in_production": False}
    runs = (dataclasses.replace(shipped, name=f"run-{number}", **changes) for number in range(30))
    many = RunComparison("dots", tuple(runs))
    names = [trace["name"] for trace in curves(many, "loss")["data"]]
    assert len(names) == 2 * PLOTTED
    assert names[-1].startswith("run-29")
    assert "30 finished runs. None of them is in Production." in run_comparison.summary(many)


def test_the_last_sweep_is_shown_as_it_goes(served, classifier, settings, store, tmp_path):
    for name, scores in (("first", [0.1]), ("last", [0.91, 0.9, None, 0.97])):
        sweep = store.begin_run("mnist-sweeps", name, "")
        for number, score in enumerate(scores):
            with store.run("mnist-sweeps", "trial", "", {}, {"sweep": sweep, "trial": str(number)}) as log:
                log.log_metrics({"score": score} if score else {"pruned": 1})
    url = served(classifier, with_store(settings, tmp_path))
    *_, course, mattered = open_tab(url)
    trials, best = json.loads(course["value"]["plot"])["data"]
    assert (trials["x"], trials["y"], best["y"]) == ([0, 1, 3], [91, 90, 97], [91, 91, 97])
    assert "1 pruned" in course["value"]["plot"]
    assert mattered["visible"] is False

    with store.translate_errors():
        store.client.log_metric(sweep, "importance_batch_size", 0.25)
    *_, mattered = open_tab(url)
    (bars,) = json.loads(mattered["value"]["plot"])["data"]
    assert (bars["y"], bars["x"]) == (["batch size"], [25])
