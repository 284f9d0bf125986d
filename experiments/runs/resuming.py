"""Runs that were interrupted: each goes on from its checkpoint, and none stays RUNNING without a process."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from experiments.data.datasets import Dataset
from experiments.registry.store import TrackingStore
from experiments.runs.provenance import parameters
from experiments.training.checkpoints import Checkpoint
from experiments.training.config import RunConfig


def open_checkpoint(
    config: RunConfig,
    dataset: Dataset,
    store: TrackingStore,
    fingerprint: str,
    log_line: Callable[[str], None],
    fresh: bool = False,
) -> Checkpoint:
    """The checkpoint of a run, with the state to go on from. fresh: without, and the file is deleted."""
    recipe = json.dumps([fingerprint, parameters(config, dataset)], sort_keys=True, default=str)
    checkpoint = Checkpoint(_file(store, fingerprint, "npz"), recipe, log_line)
    if fresh:
        checkpoint.delete()
    if checkpoint.state:
        epochs = config.trainings * config.epochs
        log_line(f"{config.name}: goes on after epoch {len(checkpoint.state.epochs)} of {epochs}")
    return checkpoint


@contextlib.contextmanager
def claimed(store: TrackingStore, fingerprint: str, log_line: Callable[[str], None]) -> Iterator[None]:
    """Keep other processes of this machine from the same run, after waiting for one that is at it."""
    path = _file(store, fingerprint, "lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log_line("Another process is at the same run; waiting for its end.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def end_abandoned(store: TrackingStore, dataset: str) -> None:
    """Mark the runs KILLED that MLflow takes for running though their process on this machine is gone."""
    for run in store.runs(dataset):
        if run.status == "RUNNING" and (fingerprint := run.tags.get("fingerprint")):
            path = _file(store, fingerprint, "lock")
            if path.exists():  # else it is another machine's
                with contextlib.suppress(Timeout), FileLock(path, timeout=0):
                    store.end_run(run.run_id, "KILLED")


def _file(store: TrackingStore, fingerprint: str, suffix: str) -> Path:
    return store.artifact_dir / "checkpoints" / f"{fingerprint}.{suffix}"
