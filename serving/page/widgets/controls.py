"""What tabs are controlled by: the switch of the data set, the operator's key, and how their events are bound."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import gradio as gr

from experiments.data.specs import SPECS
from serving.core.errors import Refused
from serving.storage.records import StoreError

if TYPE_CHECKING:
    from model_loader import Classifier
    from serving.services import Services

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET = PRIVATE | {"show_progress": "hidden"}


def dataset_switch(services: "Services") -> gr.Radio:
    """One data set of those that have a model, the first at the start; hidden where there is no choice."""
    names = list(services.classifiers)
    choices = [(SPECS[name].things.capitalize(), name) for name in names]
    return gr.Radio(choices, value=names[0], label="What is shown", visible=len(names) > 1, elem_classes="dataset")


def selected_classifier(services: "Services", dataset: Any) -> "Classifier":
    """The model that a switch's value stands for. Raises gr.Error for what it does not offer."""
    if dataset not in list(services.classifiers):
        raise gr.Error("Choose one of the data sets that are offered.", print_exception=False)
    return services.classifiers[dataset]


@contextmanager
def show_errors(services: "Services", fault: str) -> Iterator[None]:
    """Show people what goes wrong in the block: refusals and errors of the database in their own words, anything else
    as `fault`, with the details in the log. Raises gr.Error."""
    try:
        yield
    except (Refused, StoreError) as error:
        raise gr.Error(str(error), print_exception=False) from None
    except Exception:
        logging.getLogger(__name__).exception(fault)
        services.metrics.add_problem("", 500, fault)
        message = f"{fault} The fault is on this side and has been logged; try again."
        raise gr.Error(message, print_exception=False) from None


def key_box(services: "Services") -> gr.Textbox:
    """Where the operator's key is typed; hidden where none is asked for. An input of every handler of the tab."""
    needed = services.access.needs_key and bool(services.settings.operator_key.get_secret_value())
    return gr.Textbox(label="Operator key", type="password", visible=needed)


def require_operator(services: "Services", request: gr.Request, key: str | None) -> None:
    """Raises gr.Error for anyone but the operator. A hidden tab would not do: its events can be posted by anyone."""
    if reason := operator_refusal(services, request, key):
        raise gr.Error(reason, print_exception=False)


def operator_refusal(services: "Services", request: gr.Request, key: str | None) -> str:
    """Why this is not for whoever asks, empty for the operator: for what nobody has clicked for, a timer's tick or the
    first sight of a tab, which should tell it in the tab's place rather than raise an alarm."""
    try:
        services.access.check_operator(dict(request.headers), request.username, key or "")
    except Refused as error:
        return str(error)
    return ""
