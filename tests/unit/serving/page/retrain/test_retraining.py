import math

import numpy as np

from experiments.inference.predictions import Prediction
from serving.learning.replay import ReplayResult
from serving.learning.reporter import epochs_of
from serving.page.retrain.production import changes_report, timeline
from serving.page.retrain.retraining import curves, progress_report, section_update
from serving.storage.records import ProductionEntry, Retraining
from tests.helpers.entries import entry

EPOCH = {"epoch": 1, "epochs": 4, "loss": 0.5, "accuracy": 0.9, "val_loss": 0.1, "val_accuracy": 0.99}


def job(**changes):
    fields = {
        "id": 12, "dataset": "mnist", "state": "training", "started_at": 1000.0, "seen_at": math.inf,
        "ended_at": None,
        "progress": 0.5, "remaining": 31.4, "corrections": 20, "epochs": [EPOCH], "log": ["<b>Training"], "reason": "",
        "version": "", "run_id": "", "differences": [], "cancelled": False, "attempts": 1,
    }  # fmt: skip
    return Retraining(**fields | changes)


def test_one_that_is_going_on():
    text = progress_report(job())
    assert all(part in text for part in ("Retraining 12: training", "20 corrections", "about 31 s left", "0.500"))
    assert "<b>Training" not in text
    *_, starting, cancelling = section_update(job())
    assert (starting["visible"], cancelling["visible"]) == (False, True)


def test_one_that_waits_says_for_what():
    waiting = job(state="queued", attempts=0, progress=0.0, epochs=[])
    text, *_, starting, cancelling = section_update(waiting, notice="No <trainer> has been seen. Start `one`.")
    assert "Retraining 12: queued, 20 corrections, asked for" in text
    assert "<b>No &lt;trainer&gt; has been seen. Start <code>one</code>.</b>" in text
    assert "left" not in text
    assert (starting["visible"], cancelling["visible"]) == (False, True)
    assert "attempt 2 of 3" in progress_report(job(attempts=2))


def test_one_that_is_over():
    ended = job(state="refused", ended_at=1075.0, remaining=None, reason="worse: <i>", version="4")
    text = progress_report(ended)
    assert all(part in text for part in ("refused", "took 75 s", "version 4", "worse: &lt;i&gt;"))
    *_, starting, cancelling = section_update(ended, can_start=True)
    assert (starting["visible"], cancelling["visible"]) == (True, False)


def test_before_the_first_one():
    text, *plots, gate, _, _ = section_update(None)
    assert "No model has been retrained" in text
    assert [plot["visible"] for plot in plots] == [False, False]
    assert gate == ""


def test_the_curves_have_a_point_an_epoch():
    figure = curves(epochs_of(job(epochs=[EPOCH, EPOCH | {"epoch": 2, "loss": 0.3}])), "Loss", "loss", "val_loss")
    assert [trace["y"] for trace in figure["data"]] == [[0.5, 0.3], [0.1, 0.1]]


def test_the_log_shows_what_anybody_wrote_as_text():
    line = ProductionEntry("mnist", "3", "run", 1000.0, None, "hand", "<script>", "ab" * 32, 20)
    log = timeline([line])
    assert "to now UTC" in log
    assert "20 corrections · data abababababab" in log
    assert "<script>" not in log
    assert "No model of the registry has been in Production" in timeline([])


def test_a_replay_lists_what_would_change():
    change = entry(1, label="7"), Prediction("1", 0.98, np.zeros(10), "sure", (), "4", None)
    text = changes_report(ReplayResult("4", 250, [change]))
    assert "1 of 250 answers would change with version 4" in text
    assert "7 90 %, version 3" in text
    assert "1 98 %" in text
    assert changes_report(ReplayResult("4", 0, [])).endswith("</p>")
