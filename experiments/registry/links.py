"""Addresses within MLflow's page."""

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from experiments.data.specs import DatasetSpec
from experiments.registry.run_log import TRAINING_VIEW
from experiments.registry.store import TrackingStore

LOCAL_PAGE = "http://127.0.0.1:5000"


def page_address(store: TrackingStore) -> str:
    """Where MLflow's page is: at the tracking server, else where `make ui` serves it."""
    return store.tracking_uri.rstrip("/") if store.tracking_uri.startswith("http") else LOCAL_PAGE


def experiment(store: TrackingStore, spec: DatasetSpec, page: str) -> str | None:
    """The address of a data set's runs; None before the first. page: the address of MLflow's page."""
    with store.translate_errors():
        known = store.client.get_experiment_by_name(spec.name)
    return f"{page}/#/experiments/{known.experiment_id}/runs{TRAINING_VIEW}" if known else None


def comparison(store: TrackingStore, spec: DatasetSpec, names: Sequence[str], page: str) -> str | None:
    """The address that puts the latest finished runs of these names side by side; None unless there are two. page: the
    address of MLflow's page."""
    latest = {run.name: run.run_id for run in store.runs(spec.name) if run.status == "FINISHED"}
    chosen = [latest[name] for name in names if name in latest]
    if len(chosen) < 2:
        return None
    with store.translate_errors():
        experiment_id = store.client.get_run(chosen[0]).info.experiment_id
    lists = {"runs": chosen, "experiments": [experiment_id]}
    query = {name: json.dumps(ids, separators=(",", ":")) for name, ids in lists.items()}
    return f"{page}/#/compare-runs{TRAINING_VIEW}&{urlencode(query)}"
