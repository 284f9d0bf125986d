"""A sweep: short trials, each a nested run of MLflow; the best choice is trained in full and judged by the gate."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from experiments.data.datasets import Dataset
from experiments.evaluation import held_out
from experiments.evaluation.held_out import HeldOut
from experiments.insights import plots
from experiments.insights.sweeps import IMPORTANCE, SWEEP, TRIAL, experiment_of
from experiments.registry.run_log import RunLog
from experiments.registry.store import TrackingStore
from experiments.runs.experiment import EpochLogger, TableResult, run_table
from experiments.runs.provenance import fingerprints, parameters
from experiments.runs.search import Search, Trials
from experiments.runs.trials import Pace, SweepError, finished_trials, open_study, work
from experiments.training.progress import TerminalBar

PARENT = "parent_run"  # attribute of the study: the run in MLflow above its trials
RUN = "run_id"  # of a trial: its own
PATIENCE = 60  # s for the worker that made a study to begin its run in MLflow


def sweep(
    search: Search,
    dataset: Dataset,
    store: TrackingStore,
    shipped: Path,
    url: str,
    trials: int,
    timeout: float | None = None,
    pace: Pace = Pace(),  # noqa: B008 it can't be changed
    prepare_held_out: Callable[[Dataset], HeldOut] = held_out.prepare,
) -> TableResult | None:
    """Take part in the sweep of this search on `url` until so many trials are finished, or `timeout` seconds have
    passed; then train the best choice in full. None where another worker is still at a trial or at that training.

    Whoever calls this with the same search, data and code takes part in the same sweep. Raises RegistryError.
    """
    on_dead = partial(_end_run, store)
    study, new = open_study(url, f"{dataset.spec.name}-{_digest(search, dataset)}", on_dead, pace)
    if new:
        study.enqueue_trial(search.known(), user_attrs={"known": True})
    parent = _parent_run(study, store, dataset, search, new)
    tried = Trials(search, dataset)
    status = "KILLED"
    try:
        done = work(study, partial(_try_out, tried, dataset, store, parent), trials, timeout, pace)
        _report(study, RunLog(parent, store.client))
        if not done and study.get_trials(False, (TrialState.RUNNING,)):
            return None
        result = _train_best(study, search, dataset, store, shipped, url, pace, prepare_held_out)
        status = "FINISHED"
    finally:
        if not study.get_trials(False, (TrialState.RUNNING,)):
            store.end_run(parent, status)
    return result


def _try_out(tried: Trials, dataset: Dataset, store: TrackingStore, parent: str, trial: Trial) -> float:
    """One trial as one run of MLflow, below that of the sweep. Raises optuna.TrialPruned."""
    config = tried.configuration(trial)
    tags = {"mlflow.parentRunId": parent, SWEEP: parent, TRIAL: str(trial.number)}
    reason, params = "See what this choice brings in a short training.", parameters(config, dataset)
    with store.run(experiment_of(dataset.spec.name), config.name, reason, params, tags) as log:
        trial.set_user_attr(RUN, log.run_id)
        bar = TerminalBar(config.name, config.epochs)
        try:
            metrics = tried.score(trial, config, [bar, EpochLogger(log)])
        except optuna.TrialPruned:
            metrics = {}
        finally:
            bar.close()
        log.log_metrics(metrics or {"pruned": 1})
    if not metrics:
        raise optuna.TrialPruned
    return metrics["score"]


def _train_best(
    study: Study,
    search: Search,
    dataset: Dataset,
    store: TrackingStore,
    shipped: Path,
    url: str,
    pace: Pace,
    prepare_held_out: Callable[[Dataset], HeldOut],
) -> TableResult:
    """Train the best choice in full, as one worker alone does: a study of one trial. Raises SweepError."""
    complete = study.get_trials(False, (TrialState.COMPLETE,))
    if not complete:
        raise SweepError("No trial was completed, so there is nothing to train in full. Give the sweep more time.")
    best = study.best_trial
    config = search.suggest(optuna.trial.FixedTrial(best.params))
    config = replace(config, reason=f"Train the best choice of a sweep in full: trial {best.number}.")
    results = []

    def in_full(_trial: Trial) -> float:
        results.append(run_table([config], dataset, store, shipped, prepare_held_out=prepare_held_out))
        return best.value or 0.0

    full, _ = open_study(url, f"{study.study_name}-full-{best.number}", lambda _: None, pace)
    work(full, in_full, trials=1, pace=pace)
    # Where another worker has trained it, its run is found finished.
    return results[0] if results else run_table([config], dataset, store, shipped, prepare_held_out=prepare_held_out)


def _parent_run(study: Study, store: TrackingStore, dataset: Dataset, search: Search, new: bool) -> str:
    """The sweep's run in MLflow, begun by the worker that made the study, and running again."""
    deadline = time.monotonic() + PATIENCE
    while not new and PARENT not in study.user_attrs and time.monotonic() < deadline:
        time.sleep(0.5)
    if PARENT in study.user_attrs:
        run_id = str(study.user_attrs[PARENT])
        with store.translate_errors():
            store.client.update_run(run_id, status="RUNNING")
        return run_id
    reason = f"Search the settings of the run {search.row.name}: trials on {search.images:,} images."
    run_id = store.begin_run(experiment_of(dataset.spec.name), study.study_name, reason)
    study.set_user_attr(PARENT, run_id)
    return run_id


def _end_run(store: TrackingStore, trial: FrozenTrial) -> None:
    """End the run of a trial whose worker is gone."""
    if RUN in trial.user_attrs:
        store.end_run(trial.user_attrs[RUN], "KILLED")


def _report(study: Study, log: RunLog) -> None:
    """Log the course of the sweep, what mattered and the best choice to its run."""
    finished = finished_trials(study)
    history = [(trial.number, trial.value) for trial in finished if trial.state is TrialState.COMPLETE and trial.value]
    importances, pruned = _importances(study), len(finished) - len(history)
    content: dict[str, object] = {"history": history, "importances": importances, "pruned": pruned}
    if history:
        content |= {"best": study.best_params, "best_trial": study.best_trial.number}
        log.log_metrics({"best_score": study.best_value})
    shares = {f"{IMPORTANCE}{name}": share for name, share in importances.items()}
    log.log_metrics({"trials": len(finished), "pruned": pruned} | shares)
    log.log_json(content, "sweep.json")
    log.log_figure(plots.sweep(history, importances), "sweep.png")


def _importances(study: Study) -> Mapping[str, float]:
    """The share of each setting in the variance of the score; none where the trials are too few or alike to tell."""
    try:
        return optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
        )
    except (RuntimeError, ValueError):
        return {}


def _digest(search: Search, dataset: Dataset) -> str:
    """Of all that makes trials comparable: what is searched, the data and the code."""
    functions = [choice.__name__ for choice in (*search.builds, *search.augments)]
    amounts = search.most, search.batch_sizes, search.epochs, search.images, search.drawings
    return hashlib.sha256(repr((fingerprints(search.row, dataset)[0], functions, amounts)).encode()).hexdigest()[:8]
