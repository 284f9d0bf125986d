"""The sections of the Retrain tab, posted as the page posts them."""

import uuid

import pytest
from pydantic import SecretStr

from serving.learning.suspicious_clients import client_summaries
from serving.page.retrain.uploads import FROM_FILES
from serving.storage.corrections import Corrections
from serving.storage.database import Database
from serving.storage.records import CorrectionFilter
from tests.helpers.corrections import correction
from tests.helpers.pictures import png, zipped
from tests.helpers.tab_events import component_id, trigger, upload

KEY = "right"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("review")


@pytest.fixture(scope="module")
def url(served, classifier, settings, folder):
    changes = {"artifact_dir": folder, "operator_key": SecretStr(KEY), "trusted_proxies": "192.0.2.1"}
    return served(classifier, settings.model_copy(update=changes | {"data_dir": folder}))


@pytest.fixture
def corrections(folder):
    database = Database(f"sqlite:///{folder / 'history.db'}")
    corrections = Corrections(database)
    yield corrections
    corrections.review(CorrectionFilter("mnist"), "dropped")
    database.close()


@pytest.fixture
def press(url):
    """Presses a button of one visit to the page."""
    visit = uuid.uuid4().hex

    def press(name, *data):
        return trigger(url, component_id(url, "button", value=name), "click", list(data), session=visit)

    return press


def test_only_the_operator_reviews_and_uploads(press, corrections):
    corrections.add([correction(1)])
    for name, data in {
        "Show pending corrections": ["mnist", "all clients"],
        "Accept selected": ["mnist", "all clients", [], "as proposed"],
        "Drop all from client": ["mnist", "all clients", [], "as proposed"],
        "Check": ["mnist", FROM_FILES, []],
        "Keep": [None, "accepted"],
    }.items():
        with pytest.raises(PermissionError, match="operator"):
            press(name, "wrong", *data)
    assert corrections.count(CorrectionFilter("mnist", state="pending")) == 1


def test_the_progress_of_a_retraining_is_for_the_operator_too(url):
    state = component_id(url, "html", elem_id="training-state")
    assert "operator" in trigger(url, None, "tick", ["wrong", "mnist"], state)[0]
    assert "No model has been retrained yet" in trigger(url, None, "tick", [KEY, "mnist"], state)[0]


def test_pending_corrections_are_accepted_relabelled_or_dropped(press, corrections):
    corrections.add([correction(number) for number in range(11, 15)])
    counts, pictures, boxes, *_ = press("Show pending corrections", KEY, "mnist", "all clients")
    assert '<th scope="row">pending</th>' in counts
    assert pictures.count("background-image") == 4
    captions, ids = zip(*boxes["choices"], strict=True)
    assert captions[0] == "7 → 1, 90 %"
    press("Accept selected", KEY, "mnist", "all clients", [ids[0]], "as proposed")
    press("Accept selected", KEY, "mnist", "all clients", [ids[1]], "4")
    *_, boxes, _, _ = press("Drop selected", KEY, "mnist", "all clients", [ids[2]], "as proposed")
    assert [identity for _, identity in boxes["choices"]] == [ids[3]]
    assert sorted(corrections.accepted("mnist")[0].labels.tolist()) == [1, 4]
    with pytest.raises(PermissionError, match="Select some"):
        press("Accept selected", KEY, "mnist", "all clients", [], "as proposed")


def test_a_client_that_repeats_one_wrong_correction_is_suspicious_and_dropped_together(press, corrections):
    corrections.add([correction(number, client="liar") for number in range(100, 120)])
    corrections.add([correction(number, given=str(number % 10), proposed="3") for number in range(200, 204)])
    counts, *_ = press("Show pending corrections", KEY, "mnist", "all clients")
    assert "<b>liar</b>: 20 corrections, 20 of them 7 → 1; 20 contradict" in counts
    assert "<b>abc</b>" not in counts
    with pytest.raises(PermissionError, match="Choose a client"):
        press("Drop all from client", KEY, "mnist", "all clients", [], "as proposed")
    counts, *_ = press("Drop all from client", KEY, "mnist", "liar", [], "as proposed")
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
    _, summary, details, contradicted, keep = press("Check", KEY, "mnist", FROM_FILES, [file])
    assert "**2 pictures can be kept** (0 0, 1 1, 2 0" in summary
    assert "1 left out: already in this upload" in summary
    assert "2 left out: not usable" in summary
    assert "Not compared with the data set's own images" in summary
    assert "1, read as 7" in details
    assert "<td>7/d.png</td>" in details
    assert contradicted["visible"]
    assert keep["value"] == "Keep 2 pictures"
    assert corrections.count(CorrectionFilter("mnist", state="accepted")) == 0
    _, summary, *_ = press("Keep", KEY, None, "pending")  # the page holds what was checked
    assert summary == "Pictures kept as training data: 1. Pending review: 1."
    assert corrections.accepted("mnist")[0].labels.tolist() == [7]


@pytest.mark.parametrize("files", [[], ["damaged.zip"]])
def test_an_upload_that_makes_no_sense_is_refused_in_words(url, press, files):
    sent = [upload(url, name, b"PK\x03\x04") for name in files]
    with pytest.raises(PermissionError, match=r"Choose pictures|complete zip"):
        press("Check", KEY, "mnist", FROM_FILES, sent)


def test_nothing_is_kept_unchecked(press):
    with pytest.raises(PermissionError, match="Check some pictures first"):
        press("Keep", KEY, None, "accepted")
