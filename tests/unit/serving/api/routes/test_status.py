import pytest
from pydantic import SecretStr

from serving.api.routes.status import Health, ModelCard, Ready, Stats
from tests.helpers.api import PNG, assert_refused


@pytest.fixture
def fresh(opened, classifier, settings, tmp_path):
    """Services that have not answered anything yet."""
    return opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path}))


def test_health_and_model_card_are_anyones(api, opened, classifier, settings):
    client = api(opened(classifier, settings.model_copy(update={"operator_key": SecretStr("key")})))
    health = Health.model_validate(client.get("/api/health").json())
    assert (health.status, health.version) == ("healthy", "3")
    assert health.uptime_seconds >= 0
    card = ModelCard.model_validate(client.get("/api/model").json())
    assert (card.version, card.source, card.metrics["test_accuracy"]) == ("3", "registry", 0.995)
    assert card.sha256["model.tflite"] == "a" * 64
    assert card.serving_since.startswith("2023-11-14T22:13:20")


def test_ready_only_once_the_model_answers(api, opened, broken_classifier, settings):
    assert Ready.model_validate(api().get("/api/ready").json()).model.version == "3"
    reply = api(opened(broken_classifier, settings)).get("/api/ready")
    assert_refused(reply, 503, "no_model")
    assert int(reply.headers["retry-after"]) > 0


def test_stats_tell_what_was_answered(operator, fresh, seven_png, sheet_png):
    client = operator(fresh)
    for body in (seven_png, seven_png, sheet_png, b"no picture"):
        client.post("/api/predict", content=body, headers=PNG)
    stats = Stats.model_validate(client.get("/api/stats").json())
    assert (stats.answers, stats.per_minute, stats.database, stats.registry) == (3, 3, True, True)
    assert stats.verdicts == {"sure": 2, "blank": 1}
    assert stats.labels == {"7": 2}
    assert stats.sources == {"api": 3}
    assert stats.requests == {"200": 3, "400": 1}
    assert 0 < stats.latency_ms.p50 <= stats.latency_ms.p95 <= stats.latency_ms.p99


def test_metrics_are_prometheus_text(operator, fresh, seven_png):
    client = operator(fresh)
    client.post("/api/predict", content=seven_png, headers=PNG)
    client.get("/api/made/up/by/someone")
    text = client.get("/metrics").text
    assert 'answers_total{dataset="mnist",label="7",source="api",verdict="sure"} 1.0' in text
    assert 'http_requests_total{route="/api/predict",status="200"} 1.0' in text
    assert 'route="other",status="404"' in text
    assert "someone" not in text


def test_a_database_and_a_registry_that_are_away_are_told(operator, opened, classifier, settings, tmp_path):
    away = {
        "database_url": "postgresql://ann@127.0.0.1:1/digits",
        "mlflow_tracking_uri": "sqlite:////nowhere/mlflow.db",
        "artifact_dir": tmp_path,
    }
    client = operator(opened(classifier, settings.model_copy(update=away)))
    assert_refused(client.get("/api/training-data"), 503, "no_history")
    assert_refused(client.get("/api/production-log"), 503, "no_registry")
    stats = Stats.model_validate(client.get("/api/stats").json())
    assert (stats.database, stats.registry, stats.history) == (False, False, None)
    text = client.get("/metrics").text
    assert 'dependency_up{name="database"} 0.0' in text
    assert 'dependency_up{name="registry"} 0.0' in text


@pytest.mark.parametrize("path", ["/api/stats", "/metrics", "/api/history"])
def test_what_is_the_operators_needs_a_key_wherever_it_is_asked_from(api, opened, classifier, settings, path):
    assert "link that the program printed" in assert_refused(api().get(path), 401, "operator_only").hint
    keyed = opened(classifier, settings.model_copy(update={"operator_key": SecretStr("right")}))
    keyed.recorder.flush()
    client = api(keyed)
    assert "DEMO_OPERATOR_KEY" in assert_refused(client.get(path), 401, "operator_only").hint
    assert client.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get(path, headers={"Authorization": "Bearer right"}).status_code == 200
    assert client.get(path, headers={"X-API-Key": "right"}).status_code == 200


def test_an_unknown_route_and_a_wrong_method_have_the_one_shape(operator):
    client = operator()
    for reply, status, code in (
        (client.get("/api/nothing"), 404, "not_found"),
        (client.get("/api/predict"), 405, "wrong_method"),
        (client.delete("/api/history"), 405, "wrong_method"),
        (client.get("/api/history?limit=x"), 422, "wrong_shape"),
    ):
        assert_refused(reply, status, code)


def test_other_sites_are_answered_only_where_they_are_configured(api, opened, classifier, settings):
    origin = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    assert api().options("/api/predict", headers=origin).status_code == 403
    allowed = settings.model_copy(update={"cors_origins": "https://app.example"})
    client = api(opened(classifier, allowed))
    assert client.options("/api/predict", headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
    assert client.get("/api/health", headers=origin).headers["access-control-allow-origin"] == origin["Origin"]
    assert client.get("/api/health", headers={"Origin": "https://other.example"}).status_code == 403
