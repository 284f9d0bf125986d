"""A worker of a study on `sys.argv[1]`, whose trials take a moment: `python -m tests.helpers.sweep_worker URL TRIALS`.

Prints the number of each trial when it begins and when it is done. With HANG it never ends its second one."""

import os
import sys
import time

from experiments.runs.trials import Pace, open_study, work

PACE = Pace(heartbeat=1, grace=4)
begun = []


def objective(trial):
    x = trial.suggest_float("x", -1, 1)
    begun.append(trial.number)
    print(f"began {trial.number}", flush=True)
    if os.environ.get("HANG") and len(begun) == 2:
        time.sleep(600)
    time.sleep(0.1)
    print(f"done {trial.number}", flush=True)
    return -(x**2)


def dead(trial):
    print(f"dead {trial.number}", flush=True)


if __name__ == "__main__":
    study, _ = open_study(sys.argv[1], "test", dead, PACE)
    assert work(study, objective, int(sys.argv[2]), pace=PACE)
