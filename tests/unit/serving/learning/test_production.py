import dataclasses
from types import SimpleNamespace

import pytest

from experiments.data.specs import SPECS
from experiments.evaluation.gate import Decision
from experiments.registry import production as registry
from experiments.registry.store import RegistryAwayError, RegistryError
from serving.core.guarded_calls import GuardedCalls
from serving.learning import production
from serving.storage.database import Database, is_away
from serving.storage.records import StoreError

SPEC = SPECS["mnist"]


class Refreshed:
    """A classifier that counts its refreshes."""

    def __init__(self):
        self.times = 0

    def refresh(self):
        self.times += 1
        return True


@pytest.fixture
def services(tmp_path, settings_in, store):
    settings = settings_in(tmp_path)
    database = Database.of(settings)
    calls = {
        "database_calls": GuardedCalls("database", 60, StoreError, is_away),
        "registry_calls": GuardedCalls("registry", 60, RegistryAwayError),
    }
    yield SimpleNamespace(settings=settings, database=database, classifiers={"mnist": Refreshed()}, **calls)
    database.close()


@pytest.fixture
def version(store, bundle):
    """Registers a run with a bundle. Gives its version."""

    def version(**tags):
        logged = dataclasses.replace(bundle, dataset="mnist")
        with store.run("mnist", "a run", "", {}, tags) as log:
            log.log_bundle(logged.folder)
        return registry.register(store, SPEC, log.run_id)

    return version


def lines(services):
    return [(line.version, line.by, line.reason) for line in production.log(services, "mnist")]


def test_the_log_knows_what_happened_elsewhere(services, store, version):
    assert production.log(services, "mnist") == []
    registry.promote(store, SPEC, version(), "the registry was empty", "start")
    registry.promote(store, SPEC, version(corrections="20"), "better", "gate")
    expected = [("2", "gate", "better"), ("1", "start", "the registry was empty")]
    assert lines(services) == lines(services) == expected
    present, past = production.log(services, "mnist")
    assert (present.until, past.until) == (None, present.at)
    assert (present.corrections, past.corrections) == (20, 0)


def test_promoted_and_rolled_back_by_hand(services, store, version):
    registry.promote(store, SPEC, version(), "first", "start")
    refused = version()
    registry.record_decision(store, SPEC, refused, Decision(False, "worse"), "<p>")
    with pytest.raises(RegistryError, match="has not passed the gate"):
        production.promote(services, "mnist", refused, "  ")
    assert production.promote(services, "mnist", refused, "we know better") == "2"
    assert production.rollback(services, "mnist", "") == "1"
    assert services.classifiers["mnist"].times == 2
    assert lines(services)[:2] == [("1", "rollback", "rolled back by hand"), ("2", "hand", "we know better")]
    assert production.versions(services, "mnist") == {"2": "refused: worse", "1": ""}


def test_following_completes_the_log_and_outlives_a_registry_that_is_away(services, store, version, caplog):
    registry.promote(store, SPEC, version(), "first", "start")
    production.refresh_models(services)
    with services.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM promotions").scalar() == 1
    services.settings.mlflow_tracking_uri = "sqlite:////nowhere/mlflow.db"
    production.refresh_models(services)
    assert "The registry is away" in caplog.text
    assert services.registry_calls.problem
