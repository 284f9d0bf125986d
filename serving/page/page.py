"""The page: a title, one tab a builder, and how it looks."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from serving.page.retrain import tab as retrain_tab
from serving.page.tabs import batch, draw, experiments, history, insights, photo, status
from serving.page.widgets.controls import PRIVATE
from serving.page.widgets.files import check_uploaded

if TYPE_CHECKING:
    from serving.services import Services
    from settings import Settings

TITLE = "Digit and photo reader"
INTRODUCTION = "Sketch a digit or show a photo: a small neural network says what it is, and when it is not sure."
KEPT = (
    "Kept of each answer: time, label, confidence, model, the small image that the model saw, and a keyed hash in "
    "place of your address. Nothing is kept of *Answer while I draw*; of an answer you correct the picture is kept too."
)
# Not Blocks of their own: each costs a start 0.15 s.
TABS = (
    ("Photo", photo.build),
    ("Batch", batch.build),
    ("Insights", insights.build),
    ("Experiments", experiments.build),
    ("History", history.build),
    ("Retrain", retrain_tab.build),
    ("Status", status.build),
)
EMPTY_PLOT_WHEN_IDLE = """() => new Promise(resolve => {
    if (navigator.connection?.saveData) return;
    const touches = ["pointermove", "pointerdown", "keydown"];
    let timer;
    const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(idle, 1000);
    };
    const idle = () => {
        touches.forEach(touch => removeEventListener(touch, wait, true));
        resolve({type: "plotly", plot: "{}"});
    };
    touches.forEach(touch => addEventListener(touch, wait, true));
    wait();
})"""
"""Runs in the browser: a plot of nothing, once nobody has touched the page for a second."""
SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONOSPACE_FONTS = ("ui-monospace", "Menlo", "Consolas", "monospace")


class Page(gr.Blocks):
    """Blocks that open no file but what was uploaded to them, whichever component or endpoint names it."""

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *others: Any, **options: Any) -> list[Any]:
        """The arguments of an event's function. Raises gr.Error for a file that was not uploaded."""
        await asyncio.to_thread(check_uploaded, inputs)
        return await super().preprocess_data(block_fn, inputs, *others, **options)


def build_page(services: "Services", notice: Callable[[], str]) -> gr.Blocks:
    """The whole page. `notice` gives the line shown above the tabs, asked at every visit; empty: no line."""
    with Page(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600)) as page:
        gr.Markdown(f"# {TITLE}\n{INTRODUCTION}", elem_id="title")
        line = gr.Markdown(visible=False, elem_id="notice")
        with gr.Tabs():
            with gr.Tab("Draw"):
                draw.build(services)
            for name, build in TABS:
                with gr.Tab(name, elem_id=f"{name.lower()}-tab"):
                    build(services)
        if services.recorder is not None:
            gr.Markdown(KEPT, elem_id="kept")
        _run_timers_while_seen(page)
        _fetch_plots_when_idle(page)
        if named := links(services.settings):
            gr.Markdown(named, elem_id="links")
        page.load(lambda: gr.update(value=notice(), visible=bool(notice())), None, line, **PRIVATE)
    return page


def _run_timers_while_seen(page: gr.Blocks) -> None:
    """A tab's timers tick while it is the one in front, and cost nothing otherwise. The browser sees to it: were it the
    server's event, its end could close the stream of answers on the tab's own, asked for at the same moment."""
    tabs = [part for part in page.blocks.values() if isinstance(part, gr.Tab)]
    timers = {part: part.parent for part in page.blocks.values() if isinstance(part, gr.Timer)}
    for seen in tabs:
        updates = [{"__type__": "update", "active": tab is seen} for tab in timers.values()]
        seen.select(None, None, list(timers), js=f"() => {json.dumps(updates)}", **PRIVATE)


def _fetch_plots_when_idle(page: gr.Blocks) -> None:
    """Gradio's plots come with 4.6 MB of script, which takes a second to start: it is there before a tab needs it, and
    while no one draws."""
    unseen = gr.Plot(visible="hidden", show_label=False)
    page.load(None, None, unseen, js=EMPTY_PLOT_WHEN_IDLE, **PRIVATE)


def appearance() -> dict[str, Any]:
    """The arguments of `launch` that make the page look and work the same with the network cut."""
    theme = gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=SYSTEM_FONTS, font_mono=MONOSPACE_FONTS)
    contrast = {  # where Soft's own is below 4.5 to 1, and its grey page, which set() would forget
        "background_fill_primary": "*neutral_100",
        "button_primary_background_fill": "*primary_600",
        "button_primary_background_fill_dark": "*primary_600",
        "button_primary_background_fill_hover": "*primary_700",
        "button_primary_background_fill_hover_dark": "*primary_700",
        "block_label_text_color": "*primary_700",
        "block_title_text_color": "*primary_700",
        "input_border_color": "*neutral_300",
        "checkbox_label_background_fill_selected": "*primary_600",
        "checkbox_border_color": "*neutral_500",
        "checkbox_border_color_dark": "*neutral_400",
    }
    return {
        "theme": theme.set(**contrast),
        "css_paths": Path(__file__).with_name("page.css"),
        "footer_links": ["api", "gradio", "settings"],
        "ssr_mode": False,
    }


def links(settings: "Settings") -> str:
    """Markdown of the links that are set, empty if none is."""
    named = {
        "Code": settings.repository_url,
        "Container image": settings.image_url,
        "Video": settings.video_url,
        "Public page": settings.deployment_url,
    }
    return " · ".join(f"[{name}]({url})" for name, url in named.items() if url)
