"""The alias `challenger`, from refusal to what takes it away."""

import pytest

from experiments.evaluation.gate import Decision
from experiments.registry import production, versions
from experiments.registry.challenger import CHALLENGER
from experiments.registry.upkeep import bring_up_to_date


@pytest.fixture
def judge(store, spec, bundle):
    """Register a version, and have the gate decide about it if it is to. Gives the version."""

    def judge(promote=None):
        with store.run(spec.name, "a run", "", {}, {}) as log:
            log.log_bundle(bundle.folder)
        version = production.register(store, spec, log.run_id)
        if promote is not None:
            production.record_decision(store, spec, version, Decision(promote, "so"), "<p>why</p>")
        return version

    return judge


def challenger(store, spec):
    version = versions.registered_model(store, spec).aliases.get(CHALLENGER)
    return version and str(version)


def test_it_is_the_latest_version_that_the_gate_refused(store, spec, judge):
    production.promote(store, spec, judge(), "first")
    assert challenger(store, spec) is None
    assert [challenger(store, spec) for _ in range(2) if judge(promote=False)] == ["2", "3"]
    judge()  # nobody judged it
    assert challenger(store, spec) == "3"
    production.promote(store, spec, "3", "we know better")
    assert challenger(store, spec) is None
    production.rollback(store, spec, "regret")
    assert challenger(store, spec) == "3"
    judge(promote=True)
    assert challenger(store, spec) is None


def test_a_store_of_an_earlier_version_gets_it(store, spec, judge, tmp_path):
    version = judge(promote=False)
    store.client.delete_registered_model_alias(spec.registered_model, CHALLENGER)
    bring_up_to_date(store, spec, tmp_path / "none", [].append)
    assert challenger(store, spec) == version


def test_the_gates_report_lies_with_the_run(store, spec, judge, tmp_path):
    version = store.client.get_model_version(spec.registered_model, judge(promote=False))
    assert store.client.download_artifacts(version.run_id, "gate.html", tmp_path).endswith("gate.html")
    assert (tmp_path / "gate.html").read_text() == "<p>why</p>"
