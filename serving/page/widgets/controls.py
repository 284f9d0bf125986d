"""Controls that tabs share: the switch of the data set, what is the operator's alone, and how events are bound."""

import asyncio
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from experiments.data.specs import SPECS
from experiments.registry.store import RegistryAwayError
from model_loader import Classifier
from serving.core.access import Caller
from serving.core.clients import client_of_address
from serving.core.errors import Refused
from serving.core.guarded_calls import GuardedCalls
from serving.page.widgets.errors import page_error, show_errors
from serving.services import Services
from serving.storage.records import StoreError

if TYPE_CHECKING:
    from serving.storage.history import History

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
PROGRESS = gr.Progress()  # the default of a parameter, which Gradio replaces with one for each event
QUIET: dict[str, Any] = PRIVATE | {"show_progress": "hidden"}
AWAY = (StoreError, RegistryAwayError)
UNLIMITED: dict[str, Any] = {"concurrency_limit": None}  # events that wait for a worker by turns, clients as equals
Triggers: TypeAlias = Callable[..., Any] | Sequence[Callable[..., Any]]
Refresh: TypeAlias = Callable[[Triggers | Dependency], Dependency]
"""Has a part of a tab refreshed, on triggers or after another event."""
Outputs: TypeAlias = Component | Sequence[Component]
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


def client_of_event(request: gr.Request) -> str:
    """The client that sent an event; empty where it is not known."""
    return client_of_address(request.client.host if request.client else "")


def caller_of(request: gr.Request) -> Caller:
    """Who sent an event, as the middleware has found out."""
    caller: Caller = request.state.caller
    return caller


def require_operator(services: Services, request: gr.Request) -> None:
    """Raise gr.Error for anyone but the operator. Hiding the tab is not enough: anyone can post its events."""
    if reason := operator_refusal(services, request):
        raise page_error(reason)


def operator_refusal(services: Services, request: gr.Request) -> str:
    """Why the sender is refused; empty for the operator. For events that nobody clicked for, a timer's tick or the
    opening of a tab, which show the reason in place of the tab's content rather than as an error."""
    try:
        services.access.check_operator(caller_of(request))
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
    """Binds the events of an operator's tab: each sends the selected data set, where the tab has a switch, and its
    errors are shown in words. calls: through which the handlers ask the database or the registry; None: they ask
    neither. options: as gr.on takes them."""

    services: Services
    calls: GuardedCalls | None = None
    dataset: gr.Radio | None = None

    def on(
        self,
        triggers: Triggers,
        handler: Callable[..., Any],
        inputs: Sequence[Component],
        outputs: Outputs,
        seconds: float | None = None,
        **options: Any,
    ) -> None:
        """Have the handler called with the data set and the values of the inputs, for the operator only. seconds: which
        it may take, where that is more than usual."""

        async def handle(request: gr.Request, *values: Any) -> Any:
            require_operator(self.services, request)
            with show_errors(self.services):
                return await self._call(handler, values, seconds)

        gr.on(triggers, handle, self._with_dataset(inputs), outputs, **PRIVATE | options)

    def refresh(
        self,
        triggers: Triggers | Dependency,
        handler: Callable[..., Any],
        inputs: Sequence[Component],
        outputs: Outputs,
        seconds: float | None = None,
    ) -> Dependency:
        """Likewise for events that nobody clicked for, a timer's tick or the opening of a tab: why others are refused,
        or that the database or the registry is away, is the first of the outputs rather than an error. triggers: or an
        event of the same kind, after which it is called; two at once would disturb one another."""
        count = len(outputs) if isinstance(outputs, Sequence) else 1

        async def handle(request: gr.Request, *values: Any) -> Any:
            reason = operator_refusal(self.services, request)
            if not reason:
                try:
                    with show_errors(self.services, passing=AWAY):
                        return await self._call(handler, values, seconds)
                except AWAY as error:
                    reason = html.escape(str(error), quote=False)
            return (reason, *[gr.skip()] * (count - 1)) if count > 1 else reason

        bind = triggers.then if isinstance(triggers, Dependency) else partial(gr.on, triggers)
        return cast(Dependency, bind(handle, self._with_dataset(inputs), outputs, **QUIET))

    async def _call(self, handler: Callable[..., Any], values: Sequence[Any], seconds: float | None = None) -> Any:
        if self.dataset is not None:
            selected_classifier(self.services, values[0])
        if self.calls is None:
            return await asyncio.to_thread(handler, *values)
        return await self.calls.call_within(seconds or self.calls.seconds, partial(handler, *values))

    def _with_dataset(self, inputs: Sequence[Component]) -> list[Component]:
        return [*([] if self.dataset is None else [self.dataset]), *inputs]
