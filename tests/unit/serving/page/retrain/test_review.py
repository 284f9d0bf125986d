"""The sections of the Retrain tab, posted as the page posts them."""

import re
import uuid

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from serving.learning.suspicious_clients import client_summaries
from serving.page.retrain.review import decided
from serving.page.retrain.uploads import FROM_FILES
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import CorrectionFilter
from tests.helpers.corrections import correction
from tests.helpers.pictures import png, zipped
from tests.helpers.tab_events import component_id, trigger, upload

KEY = "right"
DIGITS = tuple("0123456789")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("review")


@pytest.fixture(scope="module")
def url(served, classifier, settings, folder):
    changes = {"artifact_dir": folder, "operator_key": SecretStr(KEY)}
    return served(classifier, settings.model_copy(update=changes | {"data_dir": folder}))


@pytest.fixture
def corrections(folder):
    database = Database(f"sqlite:///{folder / 'history.db'}")
    corrections = Corrections(database)
    yield corrections
    corrections.review(CorrectionFilter("mnist"), "dropped")
    database.close()


@pytest.fixture
def visit():
    """The session of one visit to the page."""
    return uuid.uuid4().hex


@pytest.fixture
def shown(url, visit):
    """What the review shows when the tab is opened: counts, gallery, and updates of client, buttons."""

    def shown():
        gallery = component_id(url, "html", elem_id="review")
        return trigger(url, None, "select", ["mnist", "all clients"], gallery, session=visit, key=KEY)

    return shown


@pytest.fixture
def press(url, visit):
    """Presses a button of the visit."""

    def press(name, *data, key=KEY):
        return trigger(url, component_id(url, "button", value=name), "click", list(data), session=visit, key=key)

    return press


def test_only_the_operator_reviews_and_uploads(press, corrections):
    corrections.add([correction(1)])
    for name, data in {
        "Save decisions": ["mnist", "all clients", {}],
        "Drop all from client": ["mnist", "all clients"],
        "Show questions": ["mnist"],
        "They are right: learn them": ["mnist", None, []],
        "Check": ["mnist", FROM_FILES, []],
        "Keep": [None, "accepted"],
    }.items():
        with pytest.raises(PermissionError, match="operator"):
            press(name, *data, key="wrong")
    assert corrections.count(CorrectionFilter("mnist", state="pending")) == 1


def test_the_progress_of_a_retraining_is_for_the_operator_too(url):
    state = component_id(url, "html", elem_id="training-state")
    assert "operator" in trigger(url, None, "tick", ["mnist"], state, key="wrong")[0]
    assert "No model has been retrained yet" in trigger(url, None, "tick", ["mnist"], state, key=KEY)[0]


def test_a_database_that_is_away_is_told_in_words(served, classifier, settings, tmp_path):
    away = {"database_url": "postgresql://ann@127.0.0.1:1/digits", "operator_key": SecretStr(KEY)}
    url = served(classifier, settings.model_copy(update=away | {"artifact_dir": tmp_path}))
    state = component_id(url, "html", elem_id="training-state")
    save = component_id(url, "button", value="Save decisions")
    assert "The history can't be opened" in trigger(url, None, "tick", ["mnist"], state, key=KEY)[0]
    with pytest.raises(PermissionError, match="The history can't be opened"):
        trigger(url, save, "click", ["mnist", "all clients", {"1": "accepted"}], key=KEY)


def test_pending_corrections_are_accepted_relabelled_or_dropped(shown, press, corrections):
    corrections.add([correction(number) for number in range(11, 15)])
    counts, gallery, *_ = shown()
    assert '<th scope="row">pending</th>' in counts
    assert 'aria-label="7 → 1, 90 %"' in gallery
    ids = re.findall(r'data-id="([0-9]+)"', gallery)
    counts, gallery, *_ = press(
        "Save decisions", "mnist", "all clients", dict(zip(ids[:3], ["accepted", "4", "dropped"], strict=True))
    )
    assert "1 of them contradict the model" in counts
    assert re.findall(r'data-id="([0-9]+)"', gallery) == [ids[3]]
    assert sorted(corrections.labelled("mnist", "accepted").data.labels.tolist()) == [1, 4]
    assert corrections.accepted("mnist")[0].labels.tolist() == [1]
    assert corrections.count(CorrectionFilter("mnist", state="dropped", ids=[int(ids[2])])) == 1


@given(
    st.none()
    | st.text()
    | st.lists(st.integers())
    | st.dictionaries(st.text(), st.text() | st.none() | st.lists(st.text()))
)
def test_what_is_no_decision_is_refused_in_words(decisions):
    try:
        groups = decided(decisions, DIGITS)
    except gr.Error:
        return
    assert sum(map(len, groups.values())) == len(decisions)
    assert all(0 <= number < 2**63 for ids in groups.values() for number in ids)


def test_decisions_are_grouped_by_what_becomes_of_the_picture():
    groups = decided({"1": "accepted", "2": "dropped", "3": "7", "4": "accepted"}, DIGITS)
    assert groups == {("accepted", None): [1, 4], ("dropped", None): [2], ("accepted", "7"): [3]}
    for wrong in ({}, {"1": "12"}, {"x": "accepted"}, {"-1": "dropped"}, {"9" * 30: "dropped"}):
        with pytest.raises(gr.Error):
            decided(wrong, DIGITS)


def test_contradictions_are_shown_together_and_answered(press, corrections):
    corrections.add([correction(number, proposed="5", client=f"c{number}") for number in range(60, 90)])
    corrections.add([correction(number, proposed="2", client=f"c{number}") for number in range(90, 93)])
    pictures, _, chosen, *_ = press("Show questions", "mnist")
    assert "30 corrections of 30 clients call 5 what the model is 90 % sure is 7" in pictures
    assert "… and 6 more" in pictures
    fives, twos = chosen["choices"]
    with pytest.raises(PermissionError, match="Choose what to answer first"):
        press("They are right: learn them", "mnist", None, [])
    press("Drop them", "mnist", None, [fives[1]])  # the page holds which corrections were shown
    pictures, *_ = press("They are right: learn them", "mnist", None, [twos[1]])
    assert pictures == "<p>No corrections contradict the model.</p>"
    assert corrections.accepted("mnist")[0].labels.tolist() == [2] * 3
    assert corrections.count(CorrectionFilter("mnist", state="dropped", label="5")) == 30
    with pytest.raises(PermissionError, match="Decide about some"):
        press("Save decisions", "mnist", "all clients", {})


def test_a_client_that_repeats_one_wrong_correction_is_suspicious_and_dropped_together(shown, press, corrections):
    corrections.add([correction(number, client="liar") for number in range(100, 120)])
    corrections.add([correction(number, given=str(number % 10), proposed="3") for number in range(200, 204)])
    counts, *_ = shown()
    assert "<b>liar</b>: 20 corrections, 20 of them 7 → 1; 20 contradict" in counts
    assert "<b>abc</b>" not in counts
    with pytest.raises(PermissionError, match="Choose a client"):
        press("Drop all from client", "mnist", "all clients")
    counts, *_ = press("Drop all from client", "mnist", "liar")
    assert "liar" not in counts
    assert corrections.count(CorrectionFilter("mnist", state="pending")) == 4


def test_random_labels_against_a_sure_model_are_suspicious_too(corrections):
    labels = [label for label in "012345689" for _ in range(4)]
    corrections.add([correction(300 + n, client="random", proposed=label) for n, label in enumerate(labels)])
    corrections.add([correction(400 + n, client="right", proposed="7") for n in range(30)])
    corrections.add([correction(500 + n, client="unsure", confidence=0.5, proposed="123456"[n]) for n in range(6)])
    assert {group.client: group.suspicious for group in client_summaries(corrections, "mnist")} == {
        "random": True, "unsure": False
    }  # fmt: skip


def test_an_upload_is_checked_and_then_kept(url, press, corrections):
    entries = {"7/a.png": png(1), "7/b.png": png(1), "1/c.png": png(2), "7/d.png": b"<script>", "x/e.png": png(3)}
    file = upload(url, "set.zip", zipped(entries))
    _, summary, details, contradicted, keep = press("Check", "mnist", FROM_FILES, [file])
    assert "**2 pictures can be kept** (0 0, 1 1, 2 0" in summary
    assert "1 left out: already in this upload" in summary
    assert "2 left out: not usable" in summary
    assert "Not compared with the data set's own images" in summary
    assert "1, read as 7" in details
    assert "<td>7/d.png</td>" in details
    assert contradicted["visible"]
    assert keep["value"] == "Keep 2 pictures"
    assert corrections.count(CorrectionFilter("mnist", state="accepted")) == 0
    _, summary, *_ = press("Keep", None, "pending")  # the page holds what was checked
    assert summary == "Pictures kept as training data: 1. Pending review: 1."
    assert corrections.accepted("mnist")[0].labels.tolist() == [7]


@pytest.mark.parametrize("files", [[], ["damaged.zip"]])
def test_an_upload_that_makes_no_sense_is_refused_in_words(url, press, files):
    sent = [upload(url, name, b"PK\x03\x04") for name in files]
    with pytest.raises(PermissionError, match=r"Choose pictures|complete zip"):
        press("Check", "mnist", FROM_FILES, sent)


def test_nothing_is_kept_unchecked(press):
    with pytest.raises(PermissionError, match="Check some pictures first"):
        press("Keep", None, "accepted")
