"""The promotion history, which MLflow does not keep."""

import dataclasses
import json

import pytest

from experiments.evaluation.gate import Decision
from experiments.registry import production, promotions, versions
from experiments.registry.store import RegistryError


@pytest.fixture
def train(store, spec, bundle):
    """Log a run with a bundle and register it. Gives the version."""

    def train(**tags):
        with store.run(spec.name, "a run", "", {}, tags) as log:
            log.log_bundle(bundle.folder)
        return production.register(store, spec, log.run_id)

    return train


class Interrupting:
    """The MLflow client, with Ctrl-C pressed instead of a tag that starts so."""

    def __init__(self, client, prefix):
        self.client, self.prefix = client, prefix

    def __getattr__(self, name):
        return getattr(self.client, name)

    def set_registered_model_tag(self, name, key, value):
        self._interrupt(key)
        self.client.set_registered_model_tag(name, key, value)

    def set_model_version_tag(self, name, version, key, value):
        self._interrupt(key)
        self.client.set_model_version_tag(name, version, key, value)

    def _interrupt(self, key):
        if key.startswith(self.prefix):
            raise KeyboardInterrupt


def entries(store, spec):
    return [(promotion.version, promotion.by, promotion.reason) for promotion in promotions.history(store, spec)]


def test_each_promotion_is_kept_with_its_reason_and_data(store, spec, train, bundle):
    assert promotions.history(store, spec) == []
    production.promote(store, spec, train(), "first", "start")
    production.promote(store, spec, train(corrections="20"), "better", "gate")
    production.rollback(store, spec, "regret")
    assert entries(store, spec) == [("1", "start", "first"), ("2", "gate", "better"), ("1", "rollback", "regret")]
    first, second, third = promotions.history(store, spec)
    assert first.at < second.at < third.at
    assert (first.corrections, second.corrections, third.corrections) == (0, 20, 0)
    assert second.data_digest == bundle.data_digest


def test_a_repetition_is_no_promotion(store, spec, train):
    version = train()
    for reason in ("first", "it was there already"):
        production.promote(store, spec, version, reason, "gate")
    assert entries(store, spec) == [("1", "gate", "first")]


def test_a_promotion_that_was_interrupted_is_in_the_history_if_it_took_place(store, spec, train):
    production.promote(store, spec, train(), "first")
    version, client = train(), store.client
    for prefix, expected in (("production_history", ["first"]), ("promotion.", ["first", "second"])):
        store.client = Interrupting(client, prefix)
        with pytest.raises(KeyboardInterrupt):
            production.promote(store, spec, version, "second")
        store.client = client
        assert [promotion.reason for promotion in promotions.history(store, spec)] == expected
    production.promote(store, spec, version, "again")
    production.rollback(store, spec, "regret")
    assert [promotion.reason for promotion in promotions.history(store, spec)] == ["first", "second", "regret"]


def test_past_the_gate_only_with_a_reason(store, spec, train):
    production.promote(store, spec, train(), "first")
    passed, refused, unknown = train(), train(), train()
    production.record_decision(store, spec, passed, Decision(True, "better"), "<p>")
    production.record_decision(store, spec, refused, Decision(False, "worse: 90 % against 99 %"), "<p>")
    for version, gate in ((refused, "worse: 90 %"), (unknown, "it was never judged")):
        with pytest.raises(RegistryError, match=f"has not passed the gate .*{gate}"):
            production.promote(store, spec, version, "")
    assert production.current_model(store, spec).version == "1"
    production.promote(store, spec, passed, "")
    production.promote(store, spec, refused, "we know better")
    production.promote(store, spec, "1", "")
    assert [promotion.reason for promotion in promotions.history(store, spec)][1:] == [
        "promoted by hand", "we know better", "promoted by hand"
    ]  # fmt: skip


def test_what_an_earlier_version_kept_as_json_stays_readable_and_moves_to_the_versions(store, spec, train, bundle):
    production.promote(store, spec, train(), "first")
    version, name = train(corrections="20"), spec.registered_model
    past = promotions.Promotion(
        version, "its run", 1_700_000_000.1234567, "gate", "better: 99 %", bundle.data_digest, 20
    )
    gone = dataclasses.replace(past, version="9", at=1_600_000_000.0)
    for number, promotion in enumerate((past, gone)):
        content = dataclasses.asdict(promotion)
        store.client.set_registered_model_tag(name, f"promotion.{number}", json.dumps(content))
    before = promotions.history(store, spec)
    assert before[:2] == [gone, past]
    promotions.move_to_versions(store, spec)
    after = promotions.history(store, spec)
    assert [(entry.version, entry.by, entry.reason) for entry in after] == [
        (entry.version, entry.by, entry.reason) for entry in before
    ]
    assert after[1].at == pytest.approx(past.at, abs=1e-6)
    assert (after[1].data_digest, after[1].corrections) == (past.data_digest, 20)
    assert set(versions.registered_model(store, spec).tags) == {
        "production_history",
        "promotion.1",
    }  # it has no version
    assert store.client.get_model_version(name, version).tags["promotion.2023-11-14T22:13:20.123457Z"] == (
        "gate: better: 99 %"
    )


def test_an_older_store_has_no_history_before_its_next_promotion(store, spec, train):
    version = train()
    store.client.set_registered_model_alias(spec.registered_model, "production", version)
    store.client.set_model_version_tag(spec.registered_model, version, "promotion_reason", "long ago")
    assert promotions.history(store, spec) == []
    assert list(versions.all_versions(store, spec)) == ["1"]
