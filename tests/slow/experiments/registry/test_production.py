import dataclasses
import shutil
import warnings

import pytest

from experiments.inference import bundle as bundles
from experiments.registry import production as registry
from experiments.registry.store import RegistryError, TrackingStore


@pytest.fixture
def train(store, spec, bundle):
    """Log a run with a bundle and register it, as the experiments do. Gives the version."""

    def train(name="a run", **metrics):
        with store.run(spec.name, name, f"reason of {name}", {}, {}) as log:
            log.log_metrics(metrics)
            log.log_bundle(bundle.folder)
        return registry.register(store, spec, log.run_id)

    return train


@pytest.fixture(scope="module")
def experienced(store_in, spec, exported, tmp_path_factory):
    """The folder of a store with three versions, the first two of which went into Production one after the other."""
    folder = tmp_path_factory.mktemp("experienced")
    store = store_in(folder)
    for reason in ("first", "second", ""):
        with store.run(spec.name, "a run", "", {}, {}) as log:
            log.log_bundle(exported.folder)
        version = registry.register(store, spec, log.run_id)
        if reason:
            registry.promote(store, spec, version, reason)
    return folder


@pytest.fixture
def three(experienced, tmp_path):
    """A copy of that store: to make one takes longer than most tests."""
    shutil.copytree(experienced, tmp_path, dirs_exist_ok=True)
    return TrackingStore(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "mlartifacts")


def stages(store, spec):
    found = store.client.search_model_versions(f"name='{spec.registered_model}'")
    return {str(version.version): (version.tags.get("stage"), version.current_stage) for version in found}


def bundle_of(store, spec, version):
    """The folder that the run of a version has logged."""
    run_id = store.client.get_model_version(spec.registered_model, version).run_id
    return store.artifact_dir / spec.name / run_id / "artifacts" / "bundle"


def current_export(store, spec):
    return bundles.read_current(bundles.exports_of(store.artifact_dir, spec.name))


def test_an_empty_registry_has_nothing_in_production(store, spec):
    assert registry.current_model(store, spec) is None
    assert registry.pull(store, spec) is None
    with pytest.raises(RegistryError, match="no earlier Production version"):
        registry.rollback(store, spec, "regret")
    with pytest.raises(RegistryError, match=r"no version '1'\. Versions in the registry: none"):
        registry.promote(store, spec, "1", "hope")


def test_a_run_is_registered_once(store, spec, train):
    assert train("one") == "1"
    (run,) = store.runs(spec.name)
    assert run.version == "1"
    assert registry.register(store, spec, run.run_id) == "1"
    assert train("two") == "2"
    described = store.client.get_model_version(spec.registered_model, "2").description
    assert described.startswith("The model of the run `two` of 20")


def test_promotion_sets_alias_tags_stage_and_export(store, spec, train, bundle):
    train("one", validation_accuracy=0.25)
    train("two", validation_accuracy=0.75)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry.promote(store, spec, "1", "first")
        exported = registry.promote(store, spec, "2", "better")
    production = registry.current_model(store, spec)
    assert (production.version, production.metrics) == ("2", {"validation_accuracy": 0.75})
    assert stages(store, spec) == {"1": ("Archived", "Archived"), "2": ("Production", "Production")}
    tags = store.client.get_model_version(spec.registered_model, "2").tags
    assert tags["promotion_reason"] == "better"
    assert tags["promoted_at"].startswith("20")
    assert exported == current_export(store, spec)
    assert (exported.version, exported.run_id) == ("2", production.run_id)
    assert exported.sha256 == bundle.sha256


@pytest.mark.parametrize("version", ["9", "", "latest", "../1"])
def test_an_unknown_version_is_named_and_changes_nothing(store, spec, train, version):
    registry.promote(store, spec, train(), "first")
    with pytest.raises(RegistryError, match=r"Versions in the registry: 1\."):
        registry.promote(store, spec, version, "typo")
    assert registry.current_model(store, spec).version == "1"
    assert current_export(store, spec).version == "1"


def test_rollback_goes_back_further_each_time(store, spec, train):
    for _ in range(4):
        train()
    for version in ("1", "3", "2", "4"):
        registry.promote(store, spec, version, "next")
    for version in ("2", "3", "1"):
        assert registry.rollback(store, spec, "regret").version == version
        assert registry.current_model(store, spec).version == version
        assert current_export(store, spec).version == version
    with pytest.raises(RegistryError, match="no earlier Production version"):
        registry.rollback(store, spec, "regret")


def test_rollback_after_a_new_promotion_returns_to_where_that_came_from(three, spec):
    registry.promote(three, spec, "3", "next")
    registry.rollback(three, spec, "regret")  # 2
    registry.promote(three, spec, "3", "again")
    registry.promote(three, spec, "3", "again, and again")
    assert registry.rollback(three, spec, "regret").version == "2"
    assert registry.rollback(three, spec, "regret").version == "1"


def test_rollback_passes_over_deleted_versions(three, spec):
    registry.promote(three, spec, "3", "next")
    three.client.delete_model_version(spec.registered_model, "2")
    assert registry.rollback(three, spec, "regret").version == "1"


def test_a_version_without_a_bundle_does_not_take_production(store, spec, train):
    registry.promote(store, spec, train(), "first")
    version = train()
    shutil.rmtree(bundle_of(store, spec, version))
    with pytest.raises(RegistryError, match=f"Version {version} .* can't be exported"):
        registry.promote(store, spec, version, "empty")
    assert registry.current_model(store, spec).version == "1"
    assert stages(store, spec)["1"] == ("Production", "Production")


def test_a_version_with_a_damaged_bundle_does_not_take_production(store, spec, train):
    version = train()
    model = bundle_of(store, spec, version) / "model.tflite"
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(RegistryError, match=rf"Version {version} .* can't be exported.*model\.tflite"):
        registry.promote(store, spec, version, "damaged")
    assert registry.current_model(store, spec) is None
    assert current_export(store, spec) is None


class Interrupting:
    """The MLflow client, with Ctrl-C pressed before one of the calls that change the store."""

    def __init__(self, client, before):
        self.client, self.before = client, before

    def __getattr__(self, name):
        if name.startswith(("set_", "transition_")):
            if self.before == 0:
                raise KeyboardInterrupt
            self.before -= 1
        return getattr(self.client, name)


@pytest.mark.parametrize("moment", range(11))
def test_an_interrupted_promotion_is_sound_and_made_good_by_repeating(three, spec, moment):
    client = three.client
    three.client = Interrupting(client, moment)
    with pytest.raises(KeyboardInterrupt):
        registry.promote(three, spec, "3", "third")
    three.client = client
    pulled = registry.pull(three, spec)
    assert pulled.version == registry.current_model(three, spec).version == current_export(three, spec).version
    assert pulled.version == ("2" if moment <= 6 else "3")
    assert registry.rollback(three, spec, "regret").version == ("1" if moment <= 6 else "2")
    registry.promote(three, spec, "3", "third")
    assert stages(three, spec) == {
        "1": ("Archived", "Archived"),
        "2": ("Archived", "Archived"),
        "3": ("Production", "Production"),
    }
    assert current_export(three, spec).version == "3"


@pytest.mark.parametrize("moment", range(11))
def test_an_interrupted_rollback_loses_no_history(three, spec, moment):
    registry.promote(three, spec, "3", "next")
    client = three.client
    three.client = Interrupting(client, moment)
    with pytest.raises(KeyboardInterrupt):
        registry.rollback(three, spec, "regret")
    three.client = client
    if registry.current_model(three, spec).version == "3":
        assert registry.rollback(three, spec, "regret").version == "2"
    assert registry.rollback(three, spec, "regret").version == "1"


def test_an_empty_registry_starts_with_the_shipped_bundle(store, spec, bundle):
    assert registry.seed_shipped(store, spec, bundle)
    (run,) = store.runs(spec.name)
    assert (run.name, run.status, run.metrics, run.version) == ("shipped", "FINISHED", bundle.metrics, "1")
    assert "Nothing was trained" in run.reason
    production = registry.current_model(store, spec)
    assert (production.version, production.run_id, production.metrics) == ("1", run.run_id, bundle.metrics)
    assert current_export(store, spec).sha256 == bundle.sha256


def test_seeding_is_done_once(store, spec, bundle, train):
    registry.seed_shipped(store, spec, bundle)
    assert not registry.seed_shipped(store, spec, bundle)
    registry.promote(store, spec, train(), "better")
    assert not registry.seed_shipped(store, spec, bundle)
    assert registry.current_model(store, spec).version == "2"


def test_a_registry_with_models_is_not_seeded(store, spec, bundle, train):
    train()
    assert not registry.seed_shipped(store, spec, bundle)
    assert registry.current_model(store, spec) is None


@pytest.mark.parametrize("moment", range(9))
def test_an_interrupted_seeding_is_completed(store, spec, bundle, moment):
    client = store.client
    store.client = Interrupting(client, moment)
    with pytest.raises(KeyboardInterrupt):
        registry.seed_shipped(store, spec, bundle)
    store.client = client
    registry.seed_shipped(store, spec, bundle)
    assert registry.current_model(store, spec).version == "1"
    assert len(store.runs(spec.name)) == 1


def test_a_damaged_export_is_made_anew(store, spec, train, bundle):
    exported = registry.promote(store, spec, train(), "first")
    exported.tflite.write_bytes(b"junk")
    assert registry.pull(store, spec).sha256 == bundle.sha256
    assert current_export(store, spec).sha256 == bundle.sha256


def test_an_export_of_another_registry_is_not_taken_for_this_ones(store, spec, train, bundle):
    version = train()
    stale = bundles.exports_of(store.artifact_dir, spec.name) / version
    bundles.install(dataclasses.replace(bundle, metrics={"test_accuracy": 0.0}), stale, version=version, run_id="old")
    assert registry.promote(store, spec, version, "first").metrics == bundle.metrics
