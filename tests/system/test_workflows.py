"""The workflows pass their linters, and do what a release needs."""

import subprocess

import pytest
import yaml

from settings import ROOT


def workflow(name):
    # BaseLoader reads every value as text, so the key `on` stays what it is
    return yaml.load((ROOT / ".github/workflows" / name).read_text(), Loader=yaml.BaseLoader)  # noqa: S506


TESTED = "${{ github.event.workflow_run.head_sha }}"


@pytest.fixture
def release():
    return workflow("docker-image.yml")


def action(steps, name):
    return next(step for step in steps if step.get("uses", "").startswith(f"{name}@"))


def test_the_linters_find_nothing():
    done = subprocess.run(["make", "lint"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_push_to_main_pushes_both_images_with_both_tags(release):
    steps = release["jobs"]["push"]["steps"]
    assert action(steps, "docker/login-action")["with"] == {
        "username": "${{ secrets.DOCKER_USERNAME }}",
        "password": "${{ secrets.DOCKER_PASSWORD }}",
    }
    builds = [step["with"] for step in steps if step.get("uses", "").startswith("docker/build-push-action@")]
    for build, name in zip(builds, ["mlops-mnist", "mlops-mnist-serving"], strict=True):
        assert build["push"] == "true"
        repository = f"${{{{ secrets.DOCKER_USERNAME }}}}/{name}"
        assert build["tags"].splitlines() == [f"{repository}:latest", f"{repository}:{TESTED}"]
        assert build["cache-from"] == "type=gha"
        assert build.get("target", "") == ("serving" if name.endswith("serving") else "")


def test_only_what_passed_ci_is_pushed_and_of_that_very_commit(release):
    assert release["on"] == {"workflow_run": {"workflows": ["ci"], "types": ["completed"], "branches": ["main"]}}
    assert workflow("ci.yml")["name"] == "ci"
    job = release["jobs"]["push"]
    conditions = {each.strip() for each in job["if"].split("&&")}
    assert "github.event.workflow_run.conclusion == 'success'" in conditions
    assert "github.event.workflow_run.event == 'push'" in conditions
    assert action(job["steps"], "actions/checkout")["with"]["ref"] == TESTED


def test_a_release_keeps_the_report_of_that_commit(release):
    job = release["jobs"]["report"]
    assert job["needs"] == "push"
    assert action(job["steps"], "actions/checkout")["with"]["ref"] == TESTED
    (written,) = [step["run"] for step in job["steps"] if "experiments report" in step.get("run", "")]
    assert written.endswith(f"--out {action(job['steps'], 'actions/upload-artifact')['with']['path']}")


def test_what_takes_long_is_soaked_weekly():
    soak = workflow("soak.yml")
    assert soak["on"]["schedule"]
    assert soak["jobs"]["soak"]["steps"][-1]["run"] == "make soak"


def test_ci_runs_the_projects_own_script():
    steps = workflow("ci.yml")["jobs"]["test"]["steps"]
    assert steps[-1]["run"] == "bash .ci/run"


@pytest.mark.parametrize("name", ["ci.yml", "docker-image.yml", "soak.yml"])
def test_a_workflow_has_the_least_rights(name):
    described = workflow(name)
    assert described["permissions"] == {"contents": "read"}
    for job in described["jobs"].values():
        assert "permissions" not in job
        assert action(job["steps"], "actions/checkout")["with"]["persist-credentials"] == "false"
