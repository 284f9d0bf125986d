"""A run that was killed goes on from its last finished epoch, and ends as one that was not."""

import dataclasses
import subprocess
import sys
import threading
import time
from hashlib import sha256
from random import SystemRandom
from typing import ClassVar

import keras
import pytest

from experiments.data.synthesis.generate import synthesise
from experiments.evaluation import held_out
from experiments.registry import production
from experiments.runs.experiment import EpochLogger
from experiments.runs.provenance import fingerprints
from experiments.runs.resuming import claimed, end_abandoned, open_checkpoint
from experiments.training.checkpoints import Checkpoint
from experiments.training.progress import Epoch
from experiments.training.train import train
from settings import ROOT
from tests.helpers.tiny_runs import SPEC, longest_row, prepare_held_out, run_longest_row, tiny_dataset

KILLS = 3
PATIENCE = 600.0  # s: a busy machine takes minutes to import and trace everything
RANDOM = SystemRandom()


def digest_of_weights(model) -> str:
    return sha256(b"".join(array.tobytes() for array in model.get_weights())).hexdigest()


def kill_at_a_random_moment(folder) -> int:
    """Start the run, and kill it some time after an epoch or two. Return the milliseconds after those."""
    checkpoints = folder / "mlartifacts" / "checkpoints"

    def written() -> int:
        return max((path.stat().st_mtime_ns for path in checkpoints.glob("*.npz")), default=0)

    last, end = written(), time.monotonic() + PATIENCE
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.tiny_runs", str(folder)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    for _ in range(RANDOM.randint(1, 2)):
        while (now := written()) == last:
            assert process.poll() is None, "it ended of itself"
            assert time.monotonic() < end
            time.sleep(0.005)
        last = now
    milliseconds = RANDOM.randint(0, 200)
    time.sleep(milliseconds / 1000)
    process.kill()
    process.wait()
    return milliseconds


@pytest.fixture
def uninterrupted() -> tuple[str, list]:
    """The weights of the run that nobody disturbed, calibrated as a run does, and its curves."""

    class Recorder:
        epochs: ClassVar[list] = []

        def batch(self, epoch, done, total): ...

        def epoch(self, result):
            self.epochs.append(dataclasses.replace(result, epochs=0, seconds=0.0))

    config, dataset = longest_row(), tiny_dataset()
    model = train(config, dataset, synthesise(config.extra, dataset, config.seed), [Recorder()])
    held_out.calibrate(model, prepare_held_out(dataset), SPEC)
    return digest_of_weights(model), Recorder.epochs


def test_a_run_killed_three_times_ends_with_the_same_weights_and_in_the_same_mlflow_run(
    uninterrupted, store, tmp_path, capsys
) -> None:
    moments = [kill_at_a_random_moment(tmp_path) for _ in range(KILLS)]
    (killed,) = store.runs("mnist")
    assert killed.status == "RUNNING"
    capsys.readouterr()

    result = run_longest_row(tmp_path)
    assert "goes on after epoch" in capsys.readouterr().out
    (run,) = store.runs("mnist")
    assert (run.run_id, run.status) == (killed.run_id, "FINISHED")
    weights, curves = uninterrupted
    model = keras.saving.load_model(production.pull(store, SPEC).keras, compile=False, safe_mode=True)
    assert digest_of_weights(model) == weights, moments
    assert list(store.curves(run.run_id)) == curves
    assert result.best.metrics["training_seconds"] > 0
    assert list((tmp_path / "mlartifacts" / "checkpoints").glob("*.npz")) == []


CONFIG = dataclasses.replace(longest_row(), trainings=1, epochs=2)


def opened(config, store, log_line, fresh=False):
    dataset = tiny_dataset()
    return open_checkpoint(config, dataset, store, fingerprints(config, dataset)[0], log_line, fresh)


@pytest.fixture(scope="module")
def content(store_in, tmp_path_factory):
    """Name and bytes of the checkpoint of a run that was interrupted in its second epoch."""

    class Interrupted:
        def batch(self, epoch, done, total): ...

        def epoch(self, result):
            if result.epoch == 2:
                raise KeyboardInterrupt

    folder = tmp_path_factory.mktemp("interrupted")
    checkpoint = opened(CONFIG, store_in(folder), print)
    checkpoint.run_id = "interrupted"
    with pytest.raises(KeyboardInterrupt):
        train(CONFIG, tiny_dataset(), tiny_dataset().test, [Interrupted()], checkpoint)
    (path,) = (folder / "mlartifacts" / "checkpoints").iterdir()
    return path.name, path.read_bytes()


@pytest.fixture
def path(content, tmp_path):
    """A copy of that file, where the run looks for it."""
    path = tmp_path / "mlartifacts" / "checkpoints" / content[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(content[1])
    return path


def test_only_the_same_recipe_goes_on(path, store) -> None:
    lines = []
    state = opened(CONFIG, store, lines.append).state
    assert (state.run_id, [epoch.epoch for epoch in state.epochs]) == ("interrupted", [1])
    other = dataclasses.replace(CONFIG, learning_rate=0.5)
    assert opened(other, store, lines.append).state is None
    assert lines == [f"{CONFIG.name}: goes on after epoch 1 of 2"]
    assert Checkpoint(path, "another recipe", lines.append).state is None
    assert "made by another recipe" in lines[-1]


@pytest.mark.parametrize("damage", ["cut", "changed", "text", "unwritten"])
def test_a_damaged_checkpoint_is_ignored_in_one_line(path, store, damage) -> None:
    content, lines = bytearray(path.read_bytes()), []
    if damage == "changed":
        content[len(content) // 2] ^= 0xFF
    path.write_bytes({"cut": content[: len(content) // 2], "text": b"ink", "unwritten": b""}.get(damage, content))
    assert opened(CONFIG, store, lines.append).state is None
    (line,) = lines
    assert line.startswith(f"The checkpoint {path} is ignored: ")
    assert "\n" not in line


def test_fresh_forgets_the_checkpoint(path, store) -> None:
    assert opened(CONFIG, store, print, fresh=True).state is None
    assert not path.exists()


def test_a_run_that_the_store_has_no_more_goes_on_in_a_new_one_with_all_its_epochs(store) -> None:
    with store.run("mnist", "again", "", {}, {}, run_id="0" * 32) as log:
        logger = EpochLogger(log)
        logger.resume(Epoch(1, 0.5, 0.9, 0.4, 0.95), logged=False)
    (run,) = store.runs("mnist")
    assert (run.run_id, run.status) == (log.run_id, "FINISHED")
    assert store.curves(run.run_id) == tuple(logger.epochs)


def test_a_run_without_a_process_is_ended_and_that_of_another_machine_is_not(store, tmp_path) -> None:
    def run_of(fingerprint: str) -> str:
        tags = {"fingerprint": fingerprint}
        experiment = store.client.get_experiment_by_name("mnist").experiment_id
        return store.client.create_run(experiment, tags=tags).info.run_id

    with store.run("mnist", "first", "", {}, {}):
        pass
    dead, alive, elsewhere = map(run_of, ("dead", "alive", "elsewhere"))
    with claimed(store, "alive", print):
        (tmp_path / "mlartifacts" / "checkpoints" / "dead.lock").touch()
        end_abandoned(store, "mnist")
        status = {run.run_id: run.status for run in store.runs("mnist")}
    assert (status[dead], status[alive], status[elsewhere]) == ("KILLED", "RUNNING", "RUNNING")


def test_who_wants_the_same_run_waits_for_its_end(store) -> None:
    lines, waiting = [], threading.Event()

    def say(line: str) -> None:
        lines.append(line)
        waiting.set()

    def second() -> None:
        with claimed(store, "same", say):
            lines.append("second")

    with claimed(store, "same", print):
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(PATIENCE)
        lines.append("first is done")
    thread.join(PATIENCE)
    assert [line.split(";")[0] for line in lines] == ["Another process is at the same run", "first is done", "second"]
