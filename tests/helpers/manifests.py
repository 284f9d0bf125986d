"""What deploy/kubernetes says, read without a cluster or kubectl."""

import yaml

from settings import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATIONS = [FOLDER, FOLDER / "experiments"]
KUSTOMIZATION = "kustomization.yaml"


def resources_of(folder):
    files = sorted(path for path in folder.glob("*.yaml") if path.name != KUSTOMIZATION)
    return [resource for path in files for resource in yaml.safe_load_all(path.read_text())]


RESOURCES = [resource for folder in KUSTOMIZATIONS for resource in resources_of(folder)]
SETTINGS = yaml.safe_load((FOLDER / "settings" / KUSTOMIZATION).read_text())


def of_kind(kind):
    return {each["metadata"]["name"]: each for each in RESOURCES if each["kind"] == kind}


REPLICA = of_kind("Deployment")["mlops-mnist"]["spec"]["template"]
EXPERIMENTS = of_kind("Job")["mlops-mnist-experiments"]["spec"]["template"]
TRAINER = of_kind("Deployment")["mlops-mnist-trainer"]["spec"]["template"]
PODS = [REPLICA, TRAINER, EXPERIMENTS]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def only_container(pod):
    (container,) = pod["spec"]["containers"]
    assert "initContainers" not in pod["spec"]
    return container


def literals():
    (config,) = SETTINGS["configMapGenerator"]
    return dict(line.split("=", 1) for line in config["literals"])
