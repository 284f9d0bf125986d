"""Controls that tabs share: the switch of the data set, the operator's key, and how events are bound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from experiments.data.specs import SPECS
from model_loader import Classifier
from serving.core.errors import Refused
from serving.page.widgets.errors import page_error, show_errors
from serving.services import Services

if TYPE_CHECKING:
    from serving.storage.history import History

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
PROGRESS = gr.Progress()  # the default of a parameter, which Gradio replaces with one for each event
QUIET: dict[str, Any] = PRIVATE | {"show_progress": "hidden"}
HISTORY_OFF = "No history is kept on this server. DEMO_HISTORY=true turns it on."


def dataset_switch(services: Services) -> gr.Radio:
    """Choose among the data sets that have a model, initially the first; hidden if there is only one."""
    names = list(services.classifiers)
    choices = [(SPECS[name].things.capitalize(), name) for name in names]
    return gr.Radio(choices, value=names[0], label="Data set", visible=len(names) > 1, elem_classes="dataset")


def selected_classifier(services: Services, dataset: Any) -> Classifier:
    """The model of the data set that a switch names. Raises gr.Error for a value that it does not offer."""
    if dataset not in list(services.classifiers):
        raise page_error("Choose one of the data sets offered.")
    return services.classifiers[dataset]


def key_box(services: Services) -> gr.Textbox:
    """Take the operator's key; hidden where none is needed. An input of every event of the operator's tabs."""
    needed = services.access.needs_key and bool(services.settings.operator_key.get_secret_value())
    return gr.Textbox(label="Operator key", type="password", visible=needed)


def require_operator(services: Services, request: gr.Request, key: str | None) -> None:
    """Raise gr.Error for anyone but the operator. Hiding the tab is not enough: anyone can post its events."""
    if reason := operator_refusal(services, request, key):
        raise page_error(reason)


def operator_refusal(services: Services, request: gr.Request, key: str | None = None) -> str:
    """Why the sender is refused; empty for the operator. For events that nobody clicked for, a timer's tick or the
    opening of a tab, which show the reason in place of the tab's content rather than as an error."""
    try:
        services.access.check_operator(dict(request.headers), request.username, key or "")
    except Refused as error:
        return str(error)
    return ""


def open_history(services: Services) -> "History":
    """Raises gr.Error where no history is kept, StoreError where it can't be used."""
    if services.recorder is None:
        raise page_error(HISTORY_OFF)
    return services.recorder.history


@dataclass(frozen=True, eq=False)
class OperatorEvents:
    """Binds the events of an operator's tab: each sends the key and the selected data set, where the tab has a switch,
    and its errors are shown in words."""

    services: Services
    key: gr.Textbox
    dataset: gr.Radio | None = None

    def on(
        self,
        triggers: Callable[..., Any] | Sequence[Callable[..., Any]],
        handler: Callable[..., Any],
        inputs: Sequence[Component],
        outputs: Component | Sequence[Component],
        **options: Any,
    ) -> None:
        """Have the handler called with the data set and the values of the inputs, for the operator only. options: as
        gr.on takes them."""

        def handle(request: gr.Request, key: str, *values: Any) -> Any:
            require_operator(self.services, request, key)
            if self.dataset is not None:
                selected_classifier(self.services, values[0])
            with show_errors(self.services):
                return handler(*values)

        switch = [] if self.dataset is None else [self.dataset]
        gr.on(triggers, handle, [self.key, *switch, *inputs], outputs, **PRIVATE | options)
