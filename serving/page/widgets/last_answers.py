"""The visitor's own last answers: kept in their browser alone, and shown again on the pad with one click."""

import base64
import binascii
import re
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from serving.page.widgets.controls import QUIET
from serving.page.widgets.errors import page_error
from serving.page.widgets.files import cache_file

MAX_KEPT = 12
MAX_DRAWING = 60_000  # characters
DRAWING = re.compile(r"data:image/(webp|png);base64,([A-Za-z0-9+/]+={0,2})")
SCRIPT = Path(__file__).with_suffix(".js")
"""What is kept is changed and shown in the browser, which tells nobody of it."""
KEEP = "(drawing, details, kept) => window.lastAnswers.keep(drawing, details, kept)"
CHOOSE = "kept => window.lastAnswers.choose(kept)"


class LastAnswers(NamedTuple):
    """kept: of the browser, the newest first; chosen: the drawing, as a data URL, that `again` is pressed for."""

    kept: gr.BrowserState
    shown: gr.HTML
    chosen: gr.Textbox
    again: gr.Button


def build_last_answers() -> LastAnswers:
    """Build the list and the button that forgets it."""
    # The key is in the page for all to read: Gradio encrypts, though what is kept never leaves the browser.
    kept = gr.BrowserState([], storage_key="last-answers", secret="last-answers")  # noqa: S106 no secret
    with gr.Accordion("My last answers", open=False, elem_id="last-answers"):
        gr.Markdown("Kept in this browser alone. Click one to see it again.")
        shown = gr.HTML(elem_classes="list", padding=False)
        forget = gr.Button("Forget them", size="sm")
    # Of the window: over a slow network the page is loaded before this list is there.
    answers = f"window.lastAnswers = ({SCRIPT.read_text()})({MAX_KEPT}, {MAX_DRAWING})"
    show = f"kept => ({answers}).show(kept)"
    gr.on(None, None, kept, shown, js=show, **QUIET)  # once the page is loaded; what the browser changes is no event
    forget.click(None, None, [kept, shown], js="() => [[], '']", **QUIET)
    chosen, again = gr.Textbox(visible="hidden"), gr.Button("Show again", visible="hidden", elem_id="show-again")
    return LastAnswers(kept, shown, chosen, again)


def cache_drawing(url: Any) -> Path:
    """Copy a drawing out of a browser, a data URL, into the cache of uploads. Raises gr.Error."""
    found = DRAWING.fullmatch(url) if isinstance(url, str) and len(url) <= MAX_DRAWING else None
    if found is None:
        raise page_error("This answer can't be shown again. Draw it once more.")
    try:
        content = base64.b64decode(found[2], validate=True)
    except binascii.Error:
        raise page_error("This answer can't be shown again. Draw it once more.") from None
    return Path(cache_file(f"drawing.{found[1]}", lambda path: path.write_bytes(content)))
