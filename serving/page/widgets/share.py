"""Sharing: the button that makes a link to an answer, and the answer that a link opens, above the tabs."""

import base64
import html
from typing import Any

import gradio as gr

from serving.learning.sharing import OpenedAnswer, can_share, open_answer, share_answer
from serving.page.widgets.controls import QUIET, client_of_event
from serving.page.widgets.errors import page_error, show_errors
from serving.page.widgets.feedback_buttons import id_of
from serving.page.widgets.times import format_utc
from serving.services import Services

MAX_TOKEN = 64  # characters
AS_LINK = (
    "token => ({__type__: 'update', visible: true, value: `${location.origin}${location.pathname}#answer=${token}`})"
)
"""Runs in the browser, which alone knows by which address it reached the page."""
HIDE = "() => ({__type__: 'update', visible: false, value: ''})"
FROM_ADDRESS = """() => {
    const token = () => new URLSearchParams(location.hash.slice(1)).get("answer") || "";
    addEventListener("hashchange", () => token() && location.reload());
    return token();
}"""
"""Likewise. What is behind # is sent to no server, so that no log on the way has it."""
LOST = "No answer is shared under this link, or no longer. Draw one yourself below."
VERDICTS = {
    "sure": "Sure.",
    "unsure": "Not sure.",
    "rejected": "Nothing that the model knows.",
    "blank": "Nothing drawn.",
}


def build_button(services: Services, preprocessed: gr.Image, details: gr.JSON) -> None:
    """Add the button of one tab, visible once there is an answer. preprocessed: the image the model saw, with the CSS
    class "preprocessed"; details: has the answer's "id", empty for an answer that is not kept."""
    if not can_share(services):
        return
    days = services.settings.history_days

    async def share(answer: Any, request: gr.Request) -> str:
        if not (request_id := id_of(answer)):
            raise page_error("An answer while you draw is not kept. Press Submit, then share it.")
        with show_errors(services, "The answer could not be shared."):
            return await share_answer(services, request_id, client_of_event(request))

    button = gr.Button("Share this answer", elem_classes="share")
    token = gr.Textbox(visible="hidden")
    link = gr.Textbox(
        label="Link to this answer", info=f"Who has it sees your drawing and its answer, for {days} days at most.",
        interactive=False, buttons=["copy"], visible=False, elem_classes="share-link",
    )  # fmt: skip
    made = button.click(share, details, token, preprocess=False, concurrency_id="share", **QUIET)
    made.success(None, token, link, js=AS_LINK, **QUIET)
    preprocessed.change(None, None, link, js=HIDE, **QUIET)


def build_opened(page: gr.Blocks, services: Services) -> None:
    """Add what shows the answer that the page's address names; nothing without."""
    if not can_share(services):
        return

    async def show(token: Any) -> str:
        with show_errors(services, "The answer could not be opened."):
            is_token = isinstance(token, str) and 0 < len(token) <= MAX_TOKEN
            opened = await open_answer(services, token) if is_token else None
        return f'<p class="shared">{LOST}</p>' if opened is None else opened_html(opened)

    token = gr.Textbox(visible="hidden", elem_id="shared-token")
    shown = gr.HTML(elem_id="shared-answer", padding=False)
    page.load(None, None, token, js=FROM_ADDRESS, **QUIET)
    token.change(show, token, shown, preprocess=False, concurrency_id="share", **QUIET)


def opened_html(opened: OpenedAnswer) -> str:
    """HTML of a shared answer: the drawing, what it was read as, and by which model when."""
    entry = opened.entry
    picture = f"data:image/webp;base64,{base64.b64encode(opened.drawing).decode()}"
    words = VERDICTS.get(entry.verdict, "")
    confidence = f" {100 * entry.confidence:.0f} % confident." if entry.label else ""
    lines = [
        "<h2>A shared answer</h2>",
        f'<p class="shared-label">{html.escape(entry.label)}</p>' if entry.label else "",
        f"<p><strong>{words}</strong>{confidence}</p>",
        f"<p>Read by model version {html.escape(entry.model_version)} on {format_utc(entry.answered_at)[:16]} UTC.</p>",
    ]
    drawing = f'<img alt="The drawing that was shared" src="{picture}">'
    return f'<article class="shared">{drawing}<div>{"".join(lines)}</div></article>'
