"""A study whose trials any number of workers share through a database, and each of which is finished once, by Optuna.

A worker that is killed leaves a trial without a heartbeat; another finds it and tries it again.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import optuna
import sqlalchemy as sa
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from experiments.registry.locking import migration_lock
from experiments.registry.store import RegistryError

RETRIES = 2  # of a trial whose worker is gone or failed; then another trial takes its place
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
OPENED_AGAIN = 5  # times, a second apart: workers that make the tables at the same moment disturb one another
SURPLUS = "surplus"
"""Attribute of a trial that was begun beyond those asked for, and ended at once."""


class SweepError(RegistryError):
    """The study's database can't be used, or has nothing to train in full. Worded for the operator."""


@dataclass(frozen=True)
class Pace:
    """Seconds between heartbeats of a trial, and without one until it is taken for dead."""

    heartbeat: int = 10
    grace: int = 60


@dataclass
class _Attempt:
    """What a worker is at: the number of its trial, and whether the objective has answered."""

    number: int | None = None
    answered: bool = field(default=False)


def open_study(url: str, name: str, on_dead: Callable[[FrozenTrial], None], pace: Pace) -> tuple[Study, bool]:
    """Open a study, or make it: then the second value is true, for one of the workers only. Raises SweepError.

    on_dead: told of each trial whose worker is gone, before it is tried again.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def try_again(study: Study, trial: FrozenTrial) -> None:
        on_dead(trial)
        _retry(study, trial)

    for attempt in range(OPENED_AGAIN):
        try:
            with migration_lock(url), _experiments_allowed():
                storage = RDBStorage(
                    url,
                    engine_kwargs={"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {},
                    heartbeat_interval=pace.heartbeat,
                    grace_period=pace.grace,
                    heartbeat_stale_trial_callback=try_again,
                )
            break
        except (ImportError, sa.exc.SQLAlchemyError, optuna.exceptions.OptunaError) as error:
            if attempt == OPENED_AGAIN - 1:
                reason = str(error).partition("\n")[0]
                advice = "Check DEMO_SWEEP_DATABASE_URL, and the server or file that it names."
                raise SweepError(f"The database of the sweep can't be used: {reason}. {advice}") from error
            time.sleep(1)
    with _experiments_allowed():
        sampler = optuna.samplers.TPESampler(n_startup_trials=8, constant_liar=True)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=4)
    try:
        study = optuna.create_study(
            storage=storage, sampler=sampler, pruner=pruner, study_name=name, direction="maximize"
        )
    except optuna.exceptions.DuplicatedStudyError:
        return optuna.load_study(storage=storage, sampler=sampler, pruner=pruner, study_name=name), False
    return study, True


def work(
    study: Study,
    objective: Callable[[Trial], float],
    trials: int,
    timeout: float | None = None,
    pace: Pace = Pace(),
) -> bool:
    """Take part until so many trials are finished, pruned ones among them; exactly so many will be, whoever dies.

    Return false where `timeout` seconds passed before; no trial is begun after them.
    """
    started = time.monotonic()
    while len(finished_trials(study)) < trials:
        if timeout is not None and time.monotonic() - started >= timeout:
            return False
        with _experiments_allowed():
            optuna.storages.fail_stale_trials(study)
        if study.get_trials(False, (TrialState.WAITING,)) or len(_counted(study)) < trials:
            _try_one(study, objective, trials)
        elif len(finished_trials(study)) < trials:
            time.sleep(pace.heartbeat)  # others are at the last ones; one of them may die
    return True


def finished_trials(study: Study) -> list[FrozenTrial]:
    """The trials that were completed or pruned."""
    return study.get_trials(False, FINISHED)


def _try_one(study: Study, objective: Callable[[Trial], float], trials: int) -> None:
    attempt = _Attempt()

    def tried(trial: Trial) -> float:
        if not _history(study.trials[trial.number]) and trial.number not in _counted(study)[:trials]:
            trial.set_user_attr(SURPLUS, True)
            attempt.answered = True
            raise _SurplusError
        attempt.number = trial.number
        try:
            value = objective(trial)
        except optuna.TrialPruned:
            attempt.answered = True
            raise
        attempt.answered = True
        return value

    try:
        with _experiments_allowed():
            study.optimize(tried, n_trials=1, catch=(_SurplusError,))
    except BaseException as error:
        if attempt.answered and isinstance(error, ValueError | optuna.exceptions.UpdateFinishedTrialError):
            return  # it was taken for dead meanwhile, and is tried again elsewhere
        if attempt.number is not None:
            _retry(study, study.trials[attempt.number])
        raise


class _SurplusError(Exception):
    """Two workers began what was the last trial to begin."""


def _counted(study: Study) -> list[int]:
    """The numbers of the trials that count towards those asked for, the first of each chain of retries: none that was
    surplus, and none that was given up. Every worker gets the same, since the database numbers trials one by one."""
    trials = study.get_trials(deepcopy=False)
    failed = (trial for trial in trials if trial.state is TrialState.FAIL)
    given_up = {_history(trial)[0] for trial in failed if len(_history(trial)) >= RETRIES}
    originals = (trial for trial in trials if not _history(trial) and SURPLUS not in trial.user_attrs)
    return [trial.number for trial in originals if trial.number not in given_up]


def _history(trial: FrozenTrial) -> list[int]:
    with _experiments_allowed():
        return RetryHeartbeatStaleTrialCallback.retry_history(trial)


def _retry(study: Study, trial: FrozenTrial) -> None:
    if trial.state is TrialState.FAIL and not any(trial.number in _history(other) for other in study.trials):
        with _experiments_allowed():
            RetryHeartbeatStaleTrialCallback(max_retry=RETRIES)(study, trial)


_experiments_allowed = partial(warnings.catch_warnings, action="ignore", category=optuna.exceptions.ExperimentalWarning)
"""What Optuna calls experimental is pinned."""
