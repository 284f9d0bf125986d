import logging

import gradio as gr
import pytest

from serving.core.errors import Refused
from serving.page.widgets.errors import page_error, show_errors
from serving.storage.records import StoreError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Refused(422, "no_answer", "There is no answer.", "Submit something first."), "no answer. Submit something"),
        (StoreError("The history can't be read."), "The history can't be read."),
        (page_error("Choose a client first."), "Choose a client first."),
        (Refused(422, "bad_upload", "<img src=x>.csv: It's damaged.", ""), "&lt;img src=x&gt;.csv: It's damaged."),
        (page_error("<b> & more"), "&lt;b&gt; &amp; more"),
    ],
)
def test_expected_errors_are_shown_in_their_own_words(services, caplog, error, text):
    with pytest.raises(gr.Error, match=text) as shown, show_errors(services, "The request failed."):
        raise error
    assert not shown.value.print_exception
    assert caplog.records == []


def test_a_fault_is_logged_counted_and_apologised_for(services, caplog):
    with pytest.raises(gr.Error, match=r"The upload failed\. The fault is on this side") as shown:  # noqa: SIM117
        with caplog.at_level(logging.ERROR), show_errors(services, "The upload failed."):
            raise ZeroDivisionError("details")
    assert "details" not in str(shown.value)
    assert "ZeroDivisionError" in caplog.text
    assert services.metrics.problems[-1].message == "The upload failed."


def test_a_long_message_is_cut_and_no_traceback_of_it_logged(services):
    with pytest.raises(gr.Error) as shown, show_errors(services):
        raise gr.Error(f"Value: {'x' * 10_000_000} is not in the list of choices")
    assert len(shown.value.message) < 310
    assert not shown.value.print_exception


def test_text_that_cannot_be_encoded_is_replaced():
    assert page_error("Value: \ud800").message == "Value: ?"
