"""The button that makes a link, and the answer that a link opens on any replica, posted as the page posts them."""

import pytest
from gradio_client import Client, handle_file

from serving.learning.sharing import OpenedAnswer
from serving.page.widgets.share import LOST, opened_html
from tests.helpers.entries import entry
from tests.helpers.tab_events import component_id, trigger


@pytest.fixture(scope="module")
def replicas(served, classifier, settings, tmp_path_factory):
    """Two pages on one database."""
    shared = settings.model_copy(update={"artifact_dir": tmp_path_factory.mktemp("shared")})
    return [served(classifier, shared) for _ in range(2)]


@pytest.fixture
def details(replicas, seven_png, tmp_path):
    """Submit a drawing to the first and return the answer's details, as the page holds them."""
    (tmp_path / "seven.png").write_bytes(seven_png)
    client = Client(replicas[0], verbose=False, download_files=False)
    sheet = {"background": None, "layers": [], "composite": handle_file(str(tmp_path / "seven.png"))}
    return client.predict(sheet, api_name="/predict")[3]


def press(url, details):
    return trigger(url, component_id(url, "button", value="Share this answer"), "click", [details])[0]


def opened(url, token):
    return trigger(url, component_id(url, "textbox", elem_id="shared-token"), "change", [token])[0]


def test_a_link_opens_on_every_replica(replicas, details):
    token = press(replicas[0], details)
    for url in replicas:
        shown = opened(url, token)
        assert '<p class="shared-label">7</p>' in shown
        assert "90 % confident" in shown
        assert "model version 3 on 20" in shown
        assert "data:image/webp;base64," in shown


def test_a_replica_without_the_drawing_makes_no_link(replicas, details):
    with pytest.raises(PermissionError, match="Submit it again"):
        press(replicas[1], details)


@pytest.mark.parametrize("token", ["", "made-up", "x" * 5000, None, 7, ["token"], {}])
def test_other_links_get_a_sentence(replicas, token):
    assert LOST in opened(replicas[0], token)


@pytest.mark.parametrize("details", [None, {}, {"id": ""}, "x"])
def test_an_answer_that_is_not_kept_is_not_shared(replicas, details):
    with pytest.raises(PermissionError, match="Press Submit"):
        press(replicas[0], details)


def test_what_was_read_is_text_and_no_html():
    shown = opened_html(OpenedAnswer(entry(1, label="<b>", model_version="<i>"), b""))
    assert "<b>" not in shown
    assert "<i>" not in shown


def test_a_rejected_drawing_has_no_label_and_no_confidence():
    shown = opened_html(OpenedAnswer(entry(1, label="", verdict="rejected"), b""))
    assert "shared-label" not in shown
    assert "confident" not in shown


def test_without_links_there_is_no_button(served, classifier, settings):
    url = served(classifier, settings.model_copy(update={"share_answers": False}))
    with pytest.raises(StopIteration):
        component_id(url, "button", value="Share this answer")
