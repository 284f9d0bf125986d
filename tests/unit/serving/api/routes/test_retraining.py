import re
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from serving.api.routes.production import ProductionLogAnswer
from serving.api.routes.retraining import StatusAnswer
from serving.learning.retraining_requests import TRAINER_TIMEOUT, start_retraining, waiting_notice
from serving.storage.corrections import Corrections
from serving.storage.retrainings import Retrainings
from serving.storage.tables import trainers
from tests.helpers.api import assert_refused
from tests.helpers.corrections import correction


@pytest.fixture
def fresh(opened, classifier, settings, tmp_path):
    places = {"artifact_dir": tmp_path, "mlflow_tracking_uri": f"sqlite:///{tmp_path / 'mlflow.db'}"}
    return opened(classifier, settings.model_copy(update=places))


def test_before_the_first_there_is_none(operator, fresh):
    client = operator(fresh)
    assert client.get("/api/retrain/status").json() == {"retraining": None, "notice": ""}
    assert_refused(client.post("/api/retrain/cancel"), 409, "nothing_to_cancel")


def test_too_little_is_accepted(operator, fresh):
    reply = operator(fresh).post("/api/retrain", json={})
    assert_refused(reply, 409, "not_started")
    assert "needs 10 accepted corrections; there are 0" in reply.json()["error"]["message"]


def test_status_and_cancel(operator, fresh):
    jobs, client = Retrainings(fresh.database), operator(fresh)
    job = jobs.claim("mnist", 20)
    row = {"group": "validation", "count": 5000, "champion": 0.99, "challenger": 0.98, "low": -0.02, "high": -0.001}
    jobs.heartbeat(job, state="training", progress=0.5, remaining=30.0, log=["Training"], differences=[row])
    retraining = StatusAnswer.model_validate(client.get("/api/retrain/status?dataset=mnist").json()).retraining
    assert (retraining.id, retraining.state) == (job.id, "training")
    assert (retraining.progress, retraining.seconds_left) == (0.5, 30.0)
    assert retraining.differences[0].group == "validation"
    assert client.post("/api/retrain/cancel").json()["id"] == job.id
    assert jobs.heartbeat(job)


@pytest.fixture
def ten(fresh):
    corrections = Corrections(fresh.database)
    corrections.add([correction(number, state="accepted") for number in range(10)])


def test_a_request_waits_and_its_status_says_for_what(operator, opened, classifier, fresh, ten):
    client = operator(fresh)
    asked = client.post("/api/retrain", json={}).json()
    assert (asked["state"], asked["attempts"], asked["corrections"]) == ("queued", 0, 10)
    assert fresh.retraining_requested.is_set()
    assert "begins in a moment" in client.get("/api/retrain/status").json()["notice"]
    assert_refused(client.post("/api/retrain", json={}), 409, "busy")

    replica = opened(classifier, fresh.settings.model_copy(update={"trainer": "service"}))
    client = operator(replica)
    assert "none has been seen yet. Start one: `docker" in client.get("/api/retrain/status").json()["notice"]
    replica.retrainings.show_trainer()
    assert client.get("/api/retrain/status").json()["notice"] == "It waits for the trainer, which does one at a time."
    assert_refused(client.post("/api/retrain/cancel?dataset=cifar10"), 409, "nothing_to_cancel")
    assert client.post("/api/retrain/cancel?dataset=mnist").json()["state"] == "cancelled"
    assert client.get("/api/retrain/status").json()["notice"] == ""


def test_a_trainer_that_was_not_seen_for_a_while_is_missed(opened, classifier, fresh, ten):
    replica = opened(classifier, fresh.settings.model_copy(update={"trainer": "service"}))
    waiting = start_retraining(replica, "mnist")
    replica.retrainings.show_trainer()
    with replica.database.engine.begin() as connection:
        connection.execute(sa.update(trainers).values(seen_at=time.time() - TRAINER_TIMEOUT - 1))
    assert re.search(r"none has been seen since \d{4}-.* UTC\. Start one", waiting_notice(replica, waiting))
    lost = replace(waiting, state="training", seen_at=0.0)
    assert waiting_notice(replica, lost).startswith("Its process was lost, so that it is done again.")
    assert waiting_notice(replica, replace(lost, seen_at=time.time())) == ""


def test_what_is_not_installed_yet_is_named_where_the_page_trains(opened, classifier, fresh):
    assert waiting_notice(fresh, None) == ""
    packages = ("numpy", "first-part", "last-part")
    assert "waits until first-part and last-part are installed" in waiting_notice(fresh, None, packages)
    assert "waits until last-part is installed" in waiting_notice(fresh, None, packages[::2])
    replica = opened(classifier, fresh.settings.model_copy(update={"trainer": "service"}))
    assert waiting_notice(replica, None, packages) == ""


def test_an_empty_registry_has_nothing_to_promote_or_to_go_back_to(operator, fresh):
    client = operator(fresh)
    assert ProductionLogAnswer.model_validate(client.get("/api/production-log").json()).items == []
    for path, body in (("/api/promote", {"version": "3", "reason": "hope"}), ("/api/rollback", {})):
        assert_refused(client.post(path, json=body), 409, "registry")


@pytest.mark.parametrize(
    "body", [{}, {"version": "../1"}, {"version": "1", "reason": "x" * 501}, {"version": "1", "x": 1}]
)
def test_a_wrong_promotion_is_refused(operator, fresh, body):
    assert_refused(operator(fresh).post("/api/promote", json=body), 422, "wrong_shape")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/retrain"), ("GET", "/api/retrain/status"), ("POST", "/api/retrain/cancel"),
        ("GET", "/api/production-log"), ("POST", "/api/promote"), ("POST", "/api/rollback"),
    ],
)  # fmt: skip
def test_only_the_operator(api, opened, classifier, settings, method, path):
    for key in ("", "right"):
        client = api(opened(classifier, settings.model_copy(update={"operator_key": SecretStr(key)})))
        assert_refused(client.request(method, path, json={"version": "1"}), 401, "operator_only")
