"""What the operator's tabs have in common: the check inside every handler, and the key it may need."""

from typing import TYPE_CHECKING

import gradio as gr

from serving.core.errors import ApiError

if TYPE_CHECKING:
    from serving.services import Services


def key_box(services: "Services") -> gr.Textbox:
    """Where the operator's key is typed; hidden where none is asked for. An input of every handler of the tab."""
    needed = services.access.needs_key and bool(services.settings.operator_key.get_secret_value())
    return gr.Textbox(label="Operator key", type="password", visible=needed)


def check(services: "Services", request: gr.Request, key: str | None) -> None:
    """Raises gr.Error for anyone but the operator. A hidden tab would not do: its events can be posted by anyone."""
    if reason := refusal(services, request, key):
        raise gr.Error(reason, print_exception=False)


def refusal(services: "Services", request: gr.Request, key: str | None) -> str:
    """Why this is not for whoever asks, empty for the operator: for what nobody has clicked for, a timer's tick or the
    first sight of a tab, which should tell it in the tab's place rather than raise an alarm."""
    try:
        services.access.check_operator(dict(request.headers), request.username, key or "")
    except ApiError as error:
        return f"{error.message} {error.hint}"
    return ""
