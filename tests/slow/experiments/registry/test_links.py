"""The addresses that `make ui` prints."""

from urllib.parse import parse_qs, urlsplit

from experiments.registry import links


def run(store, spec, name, status="FINISHED"):
    with store.run(spec.name, name, "", {}, {}) as log:
        pass
    store.client.set_terminated(log.run_id, status)
    return log.run_id


def test_the_latest_finished_runs_are_compared(store, spec):
    assert links.comparison(store, spec, ("first", "second"), "http://page") is None
    assert links.experiment(store, spec, "http://page") is None
    run(store, spec, "first")
    second, again = run(store, spec, "second"), run(store, spec, "first")
    for name, status in (("first", "FAILED"), ("other", "FINISHED")):
        run(store, spec, name, status)
    address = links.comparison(store, spec, ("first", "second", "third"), "http://page")
    assert address.startswith("http://page/#/compare-runs?")
    query = parse_qs(urlsplit(address).fragment.partition("?")[2])
    experiment = store.client.get_experiment_by_name(spec.name).experiment_id
    runs = f"http://page/#/experiments/{experiment}/runs?workflowType=machine_learning"
    assert links.experiment(store, spec, "http://page") == runs
    assert query == {
        "runs": [f'["{again}","{second}"]'],
        "experiments": [f'["{experiment}"]'],
        "workflowType": ["machine_learning"],
    }


def test_the_page_is_where_make_ui_serves_it(store):
    assert links.page_address(store) == "http://127.0.0.1:5000"
