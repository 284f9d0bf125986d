"""The trainer of deploy/kubernetes: a sign of life that is true, and one way only, out."""

import yaml

from settings import ROOT
from tests.helpers.manifests import PROBES, TRAINER, of_kind, only_container


def test_the_trainer_is_probed_by_the_sign_that_it_leaves():
    container, services = only_container(TRAINER), yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    for name in PROBES:
        assert container[name]["exec"]["command"][-1] == services["trainer"]["healthcheck"]["test"][-1]
        seconds = container[name]["periodSeconds"] * container[name]["failureThreshold"]
        assert name == "readinessProbe" or seconds >= 120


def test_one_trainer_reaches_out_and_nothing_reaches_it():
    spec = of_kind("Deployment")["mlops-mnist-trainer"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    policy = of_kind("NetworkPolicy")["mlops-mnist-trainer"]["spec"]
    assert policy["podSelector"]["matchLabels"] == spec["selector"]["matchLabels"] == TRAINER["metadata"]["labels"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in policy
    assert {443, 5432} <= {port["port"] for port in policy["egress"][0]["ports"]}
