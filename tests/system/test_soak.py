"""Parts of the running product are killed with `kill -9` at random moments under load, alone and in pairs, and started
again: what was confirmed is kept, and the next start is clean."""

import os
import random
import time

import pytest

from benchmarks.postgres import Postgres
from settings import ROOT
from tests.helpers.killable import Killable
from tests.helpers.soak_load import SoakLoad

PATIENCE = 30.0  # s
ALLOWED = {0, 200, 404, 409, 422, 503}
"""Statuses of requests while parts die: no answer; done; corrections of answers that died with the page; commands that
find nothing to do; pictures that a dead worker was at; whatever needs the database."""
CI_SEED = 175


@pytest.fixture(params=["sqlite", "postgresql"])
def system(request, tmp_path):
    if not (ROOT / "data" / "mnist.npz").exists():
        pytest.skip("MNIST is not cached in data/")
    try:
        postgres = Postgres() if request.param == "postgresql" else None
    except FileNotFoundError as error:
        pytest.skip(str(error))
    system = Killable(tmp_path, postgres)
    yield system
    system.close()
    if postgres:
        postgres.stop()


@pytest.mark.parametrize(
    ("rounds", "seed", "lost_seconds"), [(2, CI_SEED, 10.0), pytest.param(25, None, 1.0, marks=pytest.mark.soak)]
)
def test_whatever_is_killed_what_was_confirmed_is_kept(system, rounds, seed, lost_seconds):
    seed = int(os.environ.get("SOAK_SEED", random.SystemRandom().randrange(10**6) if seed is None else seed))
    rng, lost, begin = random.Random(seed), [], time.monotonic()  # noqa: S311 no secret
    print(f"\nSOAK_SEED={seed}")
    for victims in plan(system.victims, rounds, rng):
        ages = play_round(system, victims, rng)
        lost += ages
        print(f"{time.monotonic() - begin:.0f} s: {' and '.join(victims)} killed, {len(ages)} answers lost")
    print(f"{len(lost)} answers lost, the first of them confirmed {max(lost, default=0):.2f} s before a death")
    assert max(lost, default=0) < lost_seconds


def plan(victims, rounds, rng):
    """Return whom each round kills: in turns, each as often as the others; in every third round another one, too."""
    turns = [victim for _ in range(rounds) for victim in rng.sample(victims, len(victims))][:rounds]
    others = {victim: [other for other in victims if other != victim] for victim in victims}
    return [[victim, *rng.sample(others[victim], rng.random() < 1 / 3)] for victim in turns]


def play_round(system, victims, rng):
    """Kill these under load, start them again and check. Return how many seconds before the death of page or database
    each answer was confirmed that is lost."""
    system.start_retraining()
    load, deaths = SoakLoad(system.url, rng.randrange(10**6)), {}
    time.sleep(rng.uniform(0.5, 3))
    for victim in victims:
        deaths[victim] = time.monotonic()
        system.kill(victim)
        time.sleep(rng.uniform(0, 1))
    time.sleep(rng.uniform(0, 1))
    mortal_until = time.monotonic() if "page" in victims else 0.0
    system.restore()
    time.sleep(1)
    told = load.stop()
    assert {status for _, status in told.outcomes} <= ALLOWED, told.outcomes
    system.check()
    lost = lost_answers(system, told, mortal_until)
    _, corrections = system.kept()
    assert {identity: corrections.get(identity) for identity in told.corrections} == told.corrections
    # What waits in the page's memory while the database is dead dies with the page.
    death = min((deaths[victim] for victim in ("page", "database") if victim in deaths), default=0.0)
    return [death - told.answers[identity] for identity in lost]


def lost_answers(system, told, mortal_until):
    """Return the ids of the confirmed answers that are not kept; only those of a page that died may be among them."""
    end = time.monotonic() + PATIENCE
    while True:  # the history is written twice a second
        lost = told.answers.keys() - system.kept()[0]
        if all(told.answers[identity] < mortal_until for identity in lost):
            return lost
        assert time.monotonic() < end, lost
        time.sleep(0.2)
