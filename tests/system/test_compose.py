"""compose.yaml says what it promises; no Docker engine is needed to read it."""

import re

import pytest
import yaml

from serving.learning.trainer import SIGN
from settings import ROOT

TEXT = (ROOT / "compose.yaml").read_text()
REPLICAS = ["app-1", "app-2", "app-3"]


@pytest.fixture
def compose():
    return yaml.safe_load(TEXT)


def test_nginx_alone_is_published(compose):
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["nginx"]
    reaching_out = [name for name, service in compose["services"].items() if "outside" in service["networks"]]
    assert set(reaching_out) == {"nginx", "trainer", "experiments"}
    assert compose["networks"]["inside"]["internal"] is True


def test_there_are_no_default_passwords(compose):
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|KEY)\w*)([^}]*)\}", TEXT)
    assert {name for name, _ in secrets} == {"POSTGRES_PASSWORD", "DEMO_OPERATOR_KEY", "DEMO_CLIENT_KEY"}
    former = r"(?::-\$\{[A-Z_]+)?"  # of which the name counts too
    required = {name for name, rest in secrets if re.match(rf"{former}:\?", rest)}
    assert required == {name for name, _ in secrets}
    assert all(re.match(rf"{former}:\?", rest) or not rest for _, rest in secrets)


def test_every_service_is_checked_bounded_and_brought_back(compose):
    for name, service in compose["services"].items():
        if name == "experiments":  # ends by itself
            continue
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
        assert service["cap_drop"] == ["ALL"]


def test_containers_write_to_bounded_places_alone(compose):
    for name, service in compose["services"].items():
        assert service["pids_limit"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        if name != "postgres":  # its entrypoint sets its folders up
            assert service["read_only"]
            assert all(re.search(r"size=\d+m", mount) for mount in service["tmpfs"])
    nginx = compose["services"]["nginx"]
    in_memory = int(re.search(r"size=(\d+)m", nginx["tmpfs"][0])[1])
    assert in_memory < int(nginx["deploy"]["resources"]["limits"]["memory"].removesuffix("M"))


def test_one_client_does_not_fill_the_temporary_files_of_nginx(compose):
    text = (ROOT / "nginx.conf").read_text()
    bodies, batches = map(int, re.findall(r"limit_conn large_bodies (\d+);", text))
    batch, single = 66, int(re.search(r"client_max_body_size (\d+)m;", text)[1])
    size = int(re.search(r"size=(\d+)m", compose["services"]["nginx"]["tmpfs"][0])[1])
    assert batches * batch + (bodies - batches) * single < 0.75 * size
    assert "proxy_max_temp_file_size 0;" in text


def test_replicas_ask_for_retrainings_and_the_trainer_does_them(compose):
    trainer = compose["services"]["trainer"]
    assert trainer["command"] == ["python", "-m", "serving", "trainer"]
    assert {compose["services"][name]["environment"]["DEMO_TRAINER"] for name in [*REPLICAS, "trainer"]} == {"service"}
    assert f"/state/mlartifacts/{SIGN} " in trainer["healthcheck"]["test"][-1]
    assert trainer["deploy"]["resources"]["limits"]["memory"] == "4G"


def test_what_trains_is_in_the_image_of_what_trains_alone(compose):
    built = {name: service["build"] for name, service in compose["services"].items() if "build" in service}
    assert {name for name, build in built.items() if build == {"context": ".", "target": "serving"}} == set(REPLICAS)
    assert {name for name, build in built.items() if build == "."} == {"trainer", "experiments", "mlflow"}
    assert all(
        compose["services"][name]["image"] == ("mlops-mnist-serving" if name in REPLICAS else "mlops-mnist")
        for name in built
    )


def test_images_are_named_by_their_exact_version(compose):
    images = {service["image"] for service in compose["services"].values()} - {"mlops-mnist", "mlops-mnist-serving"}
    assert len(images) == 2
    assert all(re.search(r":\d+\.\d+(\.\d+)?-", image) for image in images)


def test_nginx_knows_the_replicas_and_they_trust_it(compose):
    named = re.findall(r"server (app-\d):(\d+)", (ROOT / "nginx.conf").read_text())
    assert named == [(name, "7860") for name in REPLICAS] * 2
    nginx = compose["services"]["nginx"]
    address = nginx["networks"]["inside"]["ipv4_address"]
    assert nginx["ports"][0].endswith(":8080")
    for name in REPLICAS:
        service = compose["services"][name]
        assert service["environment"]["DEMO_TRUSTED_PROXIES"] == address
        assert service["networks"]["inside"]["ipv4_address"] != address


def test_what_is_written_outlives_the_containers(compose):
    volumes = [service["volumes"][0].split(":")[0] for service in compose["services"].values() if "volumes" in service]
    assert set(volumes) - {"./nginx.conf"} == set(compose["volumes"])
    assert len(set(volumes)) == len(volumes)


def test_replicas_share_history_models_and_the_key_that_hashes_clients(compose):
    environments = [compose["services"][name]["environment"] for name in REPLICAS]
    assert environments[0] == environments[1] == environments[2]
    assert environments[0]["DATABASE_URL"].endswith("@postgres/history")
    assert environments[0]["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"
    assert {"DEMO_CLIENT_KEY", "DEMO_OPERATOR_KEY"} <= set(environments[0])
