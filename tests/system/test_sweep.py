"""Workers share a sweep on one PostgreSQL or one SQLite: as many trials finish as were asked for, whoever is killed."""

import os
import subprocess
import sys

import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from settings import ROOT

TRIALS = 20


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path / 'sweeps.db'}"


def start(url, **environment):
    command = [sys.executable, "-m", "tests.helpers.sweep_worker", url, str(TRIALS)]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True)


def read(worker, word, times):
    """What a worker prints until it has printed a word so often."""
    lines = []
    while sum(line.startswith(word) for line in lines) < times:
        lines.append(worker.stdout.readline())
        assert lines[-1], "it ended before"
    return lines


def numbers(word, lines):
    return {int(line.split()[1]) for line in lines if line.startswith(word)}


def trials_of(url):
    """Every trial of the study, those that were surplus left out, and whether one is a retry of another."""
    storage = RDBStorage(url)
    (study,) = storage.get_all_studies()
    trials = [trial for trial in storage.get_all_trials(study._study_id) if "surplus" not in trial.user_attrs]
    storage.engine.dispose()
    return trials


@pytest.mark.parametrize(("database", "others_first"), [("postgresql", True), ("sqlite", False)])
def test_a_killed_workers_trial_is_tried_again_and_none_is_finished_twice(request, database, others_first):
    """others_first: all other trials are finished, so that the last worker has nothing to do but to wait."""
    url = request.getfixturevalue(database)
    victim, other = start(url, HANG="1"), start(url)
    victims = read(victim, "began", 2)
    (killed,) = numbers("began", victims) - numbers("done", victims)
    others = read(other, "done", TRIALS - 2 if others_first else 1)
    victim.kill()
    victim.communicate()
    others += other.communicate()[0].splitlines()
    assert other.returncode == 0

    trials = trials_of(url)
    complete = {trial.number for trial in trials if trial.state is TrialState.COMPLETE}
    done = [line for line in victims + others if line.startswith("done")]
    assert len(complete) == len(done) == TRIALS
    assert numbers("done", done) == complete
    assert numbers("dead", others) == {killed}
    (again,) = (trial for trial in trials if trial.system_attrs.get("retry_history") == [killed])
    first = next(trial for trial in trials if trial.number == killed)
    assert (again.state, first.state) == (TrialState.COMPLETE, TrialState.FAIL)
    assert again.params == first.params
    assert len(trials) == TRIALS + 1
