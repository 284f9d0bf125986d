"""deploy/kubernetes says what it promises; neither a cluster nor kubectl is needed to read it."""

import ipaddress
import re
import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml

import demo
import settings
from redaction import SECRET_VARIABLE, URL_PASSWORD
from settings import ROOT
from tests.helpers.manifests import (
    EXPERIMENTS,
    FOLDER,
    KUSTOMIZATION,
    KUSTOMIZATIONS,
    PODS,
    PROBES,
    REPLICA,
    RESOURCES,
    SETTINGS,
    TRAINER,
    literals,
    of_kind,
    only_container,
    resources_of,
)

MAJOR, MINOR = map(int, kubernetes_validate.latest_version().split(".")[:2])
NEWEST, *OLDER = (f"{MAJOR}.{MINOR - back}" for back in range(3))
KUSTOMIZE = ["kubectl", "kustomize"] if shutil.which("kubectl") else ["kustomize", "build"]

ANNOTATION = "nginx.ingress.kubernetes.io/"
UNITS = {"": 1, "m": 0.001, "Mi": 2**20, "Gi": 2**30}


for_each_pod = pytest.mark.parametrize("pod", PODS, ids=["replica", "trainer", "experiments"])


def amount(quantity):
    number, unit = re.fullmatch(r"(\d+)(\w*)", quantity).groups()
    return int(number) * UNITS[unit]


def check(resource, version):
    assert kubernetes_validate.validate(resource, version, strict=True) == version  # else it took an older schema


@pytest.mark.parametrize("version", [NEWEST, *OLDER])
def test_every_resource_is_valid(version):
    for resource in RESOURCES:
        check(resource, version)


def test_what_is_misspelt_is_not_valid():
    budget = of_kind("PodDisruptionBudget")["mlops-mnist"]
    with pytest.raises(kubernetes_validate.ValidationError):
        check(budget | {"spec": budget["spec"] | {"maxUnavailabe": 1}}, NEWEST)


@pytest.mark.parametrize("folder", KUSTOMIZATIONS, ids=lambda folder: folder.name)
def test_a_kustomization_names_exactly_the_files_there_are(folder):
    kustomization = yaml.safe_load((folder / KUSTOMIZATION).read_text())
    files = {path.name for path in folder.iterdir() if path.is_file()}
    assert {*kustomization["resources"], KUSTOMIZATION} == files
    assert [(folder / name).resolve() for name in kustomization["components"]] == [FOLDER / "settings"]
    assert [path.name for path in (FOLDER / "settings").iterdir()] == [KUSTOMIZATION]


if shutil.which(KUSTOMIZE[0]):  # which the rest of the file does without

    @pytest.mark.parametrize("folder", KUSTOMIZATIONS, ids=lambda folder: folder.name)
    def test_what_kustomize_renders_is_whole(folder):
        done = subprocess.run([*KUSTOMIZE, str(folder)], check=True, capture_output=True, text=True)
        rendered = list(yaml.safe_load_all(done.stdout))
        (settings_of_all,) = (each for each in rendered if each["kind"] == "ConfigMap")
        check(settings_of_all, NEWEST)
        rest = [each for each in rendered if each is not settings_of_all]
        assert sorted(each["kind"] for each in rest) == sorted(each["kind"] for each in resources_of(folder))
        images = {f"{image['newName']}:{image['newTag']}" for image in SETTINGS["images"]}
        for pod in (each["spec"]["template"] for each in rest if "template" in each["spec"]):
            assert only_container(pod)["image"] in images
            assert set(named_by(pod, "configMap")) == {settings_of_all["metadata"]["name"]}
            assert set(named_by(pod, "secret")) == {"mlops-mnist"}


def named_by(pod, kind):
    """The names of ConfigMaps or Secrets that a pod's container reads its environment from."""
    container = only_container(pod)
    references = [each.get("valueFrom", {}) for each in container["env"]] + container.get("envFrom", [])
    return [each[key]["name"] for each in references for key in (f"{kind}KeyRef", f"{kind}Ref") if key in each]


@for_each_pod
def test_the_image_is_that_of_a_commit_which_the_settings_name(pod):
    name = "mlops-mnist-serving" if pod is REPLICA else "mlops-mnist"
    (image,) = [image for image in SETTINGS["images"] if image["name"] == name]
    assert only_container(pod)["image"] == name
    assert re.fullmatch(r"[0-9a-f]{40}", image["newTag"])
    assert image["newName"].endswith(f"/{name}")


@for_each_pod
def test_nothing_runs_as_root(pod):
    (user,) = {*re.findall(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)}
    ids = dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), int(user))
    assert pod["spec"]["securityContext"] == {**ids, "runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    confined = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert only_container(pod)["securityContext"] == confined
    assert pod["spec"]["automountServiceAccountToken"] is False


@for_each_pod
def test_what_a_container_takes_is_bounded(pod):
    container = only_container(pod)
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    assert set(requests) == set(limits) == {"cpu", "memory", "ephemeral-storage"}
    assert all(amount(requests[name]) <= amount(limits[name]) for name in limits)
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"state": "/state", "tmp": "/tmp"}  # noqa: S108 the container's
    kept = [volume.pop("persistentVolumeClaim", None) for volume in volumes.values()]
    assert {claim["claimName"] for claim in kept if claim} <= set(of_kind("PersistentVolumeClaim"))
    sizes = [amount(volume["emptyDir"]["sizeLimit"]) for volume in volumes.values() if "emptyDir" in volume]
    assert len(sizes) + sum(map(bool, kept)) == len(volumes)
    assert sum(sizes) < amount(limits["ephemeral-storage"])


def test_replicas_and_experiments_have_what_compose_gives_them():
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for pod, service in ((REPLICA, "app-1"), (TRAINER, "trainer"), (EXPERIMENTS, "experiments")):
        limits = only_container(pod)["resources"]["limits"]
        expected = services[service]["deploy"]["resources"]["limits"]
        assert (limits["cpu"], limits["memory"]) == (expected["cpus"], f"{expected['memory']}i")
    assert services["experiments"]["command"][-3:] == only_container(EXPERIMENTS)["command"]
    assert services["trainer"]["command"] == only_container(TRAINER)["command"]
    assert literals()["DEMO_TRAINER"] == services["app-1"]["environment"]["DEMO_TRAINER"] == "service"


def test_replicas_are_probed_and_the_experiments_are_not():
    container = only_container(REPLICA)
    routes = (ROOT / "serving/api/routes/status.py").read_text()
    for name in PROBES:
        request = container[name]["httpGet"]
        assert f'@router.get("{request["path"]}")' in routes
        assert request["port"] == container["ports"][0]["name"]
        assert request["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    assert container["livenessProbe"]["httpGet"]["path"] == "/api/health"
    assert not set(PROBES) & set(only_container(EXPERIMENTS))


def test_a_replica_has_time_to_answer_what_it_was_sent():
    sleep = only_container(REPLICA)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert sleep + demo.STOP_SECONDS + 5 < REPLICA["spec"]["terminationGracePeriodSeconds"]


def test_no_secret_is_in_the_tree():
    for path in FOLDER.rglob("*"):
        text = path.read_text() if path.is_file() else ""
        assert not URL_PASSWORD.search(text), path
        assert "secretGenerator" not in text, path
    assert of_kind("Secret") == {}
    assert [name for name in literals() if SECRET_VARIABLE.search(name)] == []
    for pod in PODS:
        secret = [each for each in only_container(pod)["env"] if SECRET_VARIABLE.search(each["name"])]
        assert secret
        assert all(set(each) == {"name", "valueFrom"} and "secretKeyRef" in each["valueFrom"] for each in secret)


def test_the_documentation_has_every_key_of_the_secret_made():
    text = (ROOT / "docs" / "operations.md").read_text()
    section = re.search(r"^### A cluster: Kubernetes$(.*?)^### ", text, re.MULTILINE | re.DOTALL)[1]
    references = [each.get("valueFrom", {}) for pod in PODS for each in only_container(pod)["env"]]
    keys = {each["secretKeyRef"]["key"] for each in references if "secretKeyRef" in each}
    assert [key for key in keys if not re.search(rf"\b{key}\b", section)] == []


def test_the_addresses_are_settings_that_can_be_read(monkeypatch):
    for name, value in literals().items():
        monkeypatch.setenv(name, value)
    read = settings.load(env_file=None)
    assert {settings.variable(field) for field in read.model_fields_set} >= set(literals())
    assert read.database_url == literals()["DATABASE_URL"]
    # Of a network with bits of a host uvicorn believes nobody.
    assert all(ipaddress.ip_network(name).is_private for name in read.trusted_proxies.split(","))


def test_selectors_find_the_replicas_alone():
    deployment, policy = of_kind("Deployment")["mlops-mnist"], of_kind("NetworkPolicy")["mlops-mnist"]
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        REPLICA["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
        of_kind("PodDisruptionBudget")["mlops-mnist"]["spec"]["selector"]["matchLabels"],
        policy["spec"]["podSelector"]["matchLabels"],
        *(service["spec"]["selector"] for service in of_kind("Service").values()),
    ]
    for selector in selectors:
        assert selector.items() <= REPLICA["metadata"]["labels"].items()
        assert not selector.items() <= EXPERIMENTS["metadata"]["labels"].items()
        assert not selector.items() <= TRAINER["metadata"]["labels"].items()
    target = of_kind("HorizontalPodAutoscaler")["mlops-mnist"]["spec"]["scaleTargetRef"]
    assert target == {key: deployment[key] for key in ("apiVersion", "kind")} | {"name": deployment["metadata"]["name"]}
    assert "replicas" not in deployment["spec"]


def test_the_ingresses_lead_to_the_replicas_port():
    (port,) = only_container(REPLICA)["ports"]
    assert f"EXPOSE {port['containerPort']}" in (ROOT / "Dockerfile").read_text()
    (admitted,) = of_kind("NetworkPolicy")["mlops-mnist"]["spec"]["ingress"]
    assert [each["port"] for each in admitted["ports"]] == [port["name"]]
    for service in of_kind("Service").values():
        assert [each["targetPort"] for each in service["spec"]["ports"]] == [port["name"]]
    for ingress in of_kind("Ingress").values():
        ((rule,), (tls,)) = ingress["spec"]["rules"], ingress["spec"]["tls"]
        assert tls["hosts"] == [rule["host"]]
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            ports = of_kind("Service")[backend["name"]]["spec"]["ports"]
            assert backend["port"]["name"] in {each["name"] for each in ports}


@pytest.mark.parametrize(("name", "location"), [("page", "/"), ("predict", "= /api/predict")])
def test_an_ingress_waits_and_retries_as_nginx_conf_has_it(name, location):
    block = re.search(rf"location {location} {{(.*?)\n        }}", (ROOT / "nginx.conf").read_text(), re.DOTALL)[1]
    annotations = of_kind("Ingress")[f"mlops-mnist-{name}"]["metadata"]["annotations"]
    directives = dict(re.findall(r"^ +(proxy_\w+) ([^;]+);", block, re.MULTILINE))
    assert directives["proxy_read_timeout"] == f"{annotations[f'{ANNOTATION}proxy-read-timeout']}s"
    assert directives["proxy_next_upstream"] == annotations[f"{ANNOTATION}proxy-next-upstream"]
    assert directives.get("proxy_buffering") == annotations.get(f"{ANNOTATION}proxy-buffering")


def test_the_page_alone_is_sticky_and_no_body_is_cut_off():
    annotations = {name: ingress["metadata"]["annotations"] for name, ingress in of_kind("Ingress").items()}
    assert [name for name, each in annotations.items() if f"{ANNOTATION}affinity" in each] == ["mlops-mnist-page"]
    sizes = map(int, re.findall(r"client_max_body_size (\d+)m;", (ROOT / "nginx.conf").read_text()))
    bodies = {annotations[f"mlops-mnist-{name}"][f"{ANNOTATION}proxy-body-size"] for name in ("page", "api")}
    assert bodies == {f"{max(sizes)}m"}
