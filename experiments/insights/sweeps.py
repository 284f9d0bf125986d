"""The last sweep of a data set, from its runs in MLflow: how it went, and what mattered."""

from dataclasses import dataclass

from experiments.registry.store import TrackingStore

IMPORTANCE = "importance_"
"""Of those metrics of a sweep that hold a setting's share in the variance of the score, 0 to 1."""
SWEEP, TRIAL = "sweep", "trial"
"""Tags of a trial: the run of its sweep, and its number."""


@dataclass(frozen=True)
class SweepCourse:
    """The finished trials of a sweep: number and score, 0 to 1, of each that was completed; how many were pruned."""

    history: tuple[tuple[int, float], ...]
    pruned: int
    importances: dict[str, float]  # by setting; empty before the sweep's end, or where the trials are too few to tell


def experiment_of(dataset: str) -> str:
    """The experiment of MLflow's with the sweeps of a data set, apart from its runs."""
    return f"{dataset}-sweeps"


def latest(store: TrackingStore, dataset: str) -> SweepCourse | None:
    """The sweep that was begun last; None before the first. Raises RegistryError."""
    runs = store.runs(experiment_of(dataset))
    sweeps = [run for run in runs if TRIAL not in run.tags]
    if not sweeps:
        return None
    trials = [run for run in runs if run.tags.get(SWEEP) == sweeps[-1].run_id]
    scores = sorted((int(run.tags[TRIAL]), run.metrics["score"]) for run in trials if "score" in run.metrics)
    shares = {k.removeprefix(IMPORTANCE): v for k, v in sweeps[-1].metrics.items() if k.startswith(IMPORTANCE)}
    return SweepCourse(tuple(scores), sum("pruned" in run.metrics for run in trials), shares)
