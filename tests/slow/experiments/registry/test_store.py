import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import mlflow
import pytest

from experiments.registry import production
from experiments.registry.store import RegistryError, TrackingStore
from settings import ROOT


def run(store, name="a run", status="FINISHED", **tags):
    ending = {"FINISHED": None, "FAILED": ValueError("broken"), "KILLED": KeyboardInterrupt()}[status]
    with store.run("dots", name, f"reason of {name}", {"epochs": 3}, tags) as log:
        log.log_metrics({"loss": 0.5}, step=1)
        log.log_metrics({"loss": 0.25}, step=2)
        if ending:
            raise ending
    return log.run_id


def test_an_empty_store_has_no_runs(store):
    assert store.runs("dots") == []
    assert store.finished("dots", ["anything"]) is None


def test_a_run_is_found_again_with_all_that_was_logged(store):
    run_id = run(store, "baseline", git="abc")
    (summary,) = store.runs("dots")
    assert (summary.run_id, summary.name, summary.reason) == (run_id, "baseline", "reason of baseline")
    assert (summary.status, summary.params, summary.tags) == ("FINISHED", {"epochs": "3"}, {"git": "abc"})
    assert summary.metrics == {"loss": 0.25}
    assert summary.version is None
    assert summary.seconds >= 0
    assert summary.started <= datetime.now(UTC)
    assert [point.value for point in store.client.get_metric_history(run_id, "loss")] == [0.5, 0.25]


@pytest.mark.parametrize(("status", "error"), [("FAILED", ValueError), ("KILLED", KeyboardInterrupt)])
def test_a_broken_run_is_marked_and_its_error_passed_on(store, status, error):
    with pytest.raises(error):
        run(store, status=status, fingerprint="f")
    assert [summary.status for summary in store.runs("dots")] == [status]
    assert store.finished("dots", ["f"]) is None
    assert mlflow.active_run() is None
    run(store)  # and the store still takes runs


def test_a_finished_run_is_found_by_its_fingerprint(store):
    run(store, "other", fingerprint="g")
    run(store, "first", fingerprint="f")
    run(store, "second", fingerprint="f")
    assert store.finished("dots", ["f", "of another version"]).name == "second"
    assert store.finished("dots", ["unknown"]) is None


def test_thirty_runs_come_oldest_first(store):
    for number in range(30):
        run(store, str(number))
    assert [summary.name for summary in store.runs("dots")] == [str(number) for number in range(30)]


def test_a_deleted_experiment_is_taken_up_again(store):
    run(store)
    store.client.delete_experiment(store.client.get_experiment_by_name("dots").experiment_id)
    run(store)
    assert len(store.runs("dots")) == 2


def test_files_lie_under_the_artifact_folder(store, tmp_path, bundle):
    from matplotlib.figure import Figure

    with store.run("dots", "files", "", {}, {"found": "before"}) as log:
        log.log_json({"accuracy": 0.5}, "report.json")
        log.log_figure(Figure(), "curves.png")
        log.log_bundle(bundle.folder)
    folder = tmp_path / "mlartifacts" / "dots" / log.run_id / "artifacts"
    assert json.loads((folder / "report.json").read_text()) == {"accuracy": 0.5}
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "bundle" / "model.tflite").read_bytes() == bundle.tflite.read_bytes()
    assert store.runs("dots")[0].tags == {"found": "before"}


@pytest.mark.parametrize(
    "uri",
    [
        "http://user:secret@127.0.0.1:9",
        "postgresql://user:secret@127.0.0.1:9/mlflow",
        "sqlite:///{folder}",
        "sqlite:///{folder}/absent/mlflow.db",
        "sqlite:///{folder}/junk.db",
        "nonsense",
        "file:///{folder}/mlruns",
    ],
)
def test_a_store_that_can_not_be_used_is_named(uri, tmp_path, caplog, capfd, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "junk.db").write_text("no database" * 100)
    with pytest.raises(RegistryError, match=r"can't be used.*MLFLOW_TRACKING_URI") as caught:
        TrackingStore(uri.format(folder=tmp_path), tmp_path / "mlartifacts")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caplog.text == ""
    assert "Traceback" not in capfd.readouterr().err


def test_a_store_lost_during_a_run_is_named(store, tmp_path):
    with pytest.raises(RegistryError, match="can't be used"):
        lose(store, tmp_path / "mlflow.db")


def lose(store, database):
    with store.run("dots", "lost", "", {}, {}) as log:
        database.write_bytes(b"")
        log.log_metrics({"loss": 1.0})


@pytest.mark.parametrize("move", [shutil.copytree, shutil.move], ids=["copied", "moved"])
def test_a_project_that_was_moved_goes_on_where_it_is(spec, bundle, empty_database, tmp_path, move):
    home, away = tmp_path / "home", tmp_path / "away_from_home"
    home.mkdir()
    shutil.copyfile(empty_database, home / "mlflow.db")
    before = TrackingStore(f"sqlite:///{home / 'mlflow.db'}", home / "mlartifacts")
    for _ in range(2):
        with before.run(spec.name, "a run", "", {}, {}) as log:
            log.log_bundle(bundle.folder)
        production.register(before, spec, log.run_id)
    production.promote(before, spec, "1", "first")
    move(home, away)

    after = TrackingStore(f"sqlite:///{away / 'mlflow.db'}", away / "mlartifacts")
    assert production.pull(after, spec).folder == away / "mlartifacts" / "production" / spec.name / "1"
    shutil.rmtree(home, ignore_errors=True)
    assert production.promote(after, spec, "2", "from the moved artifacts").sha256 == bundle.sha256
    mlflow.set_tracking_uri(after.tracking_uri)
    assert mlflow.models.get_model_info(f"models:/{spec.registered_model}@production").signature is not None
    with after.run(spec.name, "here", "", {}, {}) as log:
        log.log_json({}, "report.json")
    assert list(away.glob(f"mlartifacts/{spec.name}/{log.run_id}/artifacts/report.json"))
    assert not home.exists()


def test_a_new_artifact_folder_does_not_lose_the_old_artifacts(store, spec, tmp_path, bundle):
    with store.run(spec.name, "a run", "", {}, {}) as log:
        log.log_bundle(bundle.folder)
    version = production.register(store, spec, log.run_id)
    elsewhere = TrackingStore(store.tracking_uri, tmp_path / "elsewhere")
    assert production.promote(elsewhere, spec, version, "first").folder.is_relative_to(tmp_path / "elsewhere")


def test_two_processes_may_open_a_new_store_at_once(tmp_path):
    opening = "TrackingStore(sys.argv[1], pathlib.Path('.'))"
    code = f"import sys, pathlib; from experiments.registry.store import TrackingStore; {opening}"
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'new.db'}"]
    both = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [each.communicate()[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], printed
