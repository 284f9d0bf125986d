"""The page: its title, its tabs and its appearance."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from serving.page.retrain import tab as retrain_tab
from serving.page.tabs import batch, draw, experiments, history, insights, photo, status
from serving.page.widgets.controls import PRIVATE
from serving.page.widgets.files import check_uploaded
from serving.services import Services
from settings import Settings

TITLE = "Digit and photo reader"
INTRODUCTION = "Draw a digit or upload a photo: a small neural network says what it is, and when it is not sure."
PRIVACY = (
    "Each answer is kept with its time, label, confidence and model, the small image the model saw, and a keyed hash "
    "in place of your address. *Answer while I draw* keeps nothing; if you correct an answer, your picture is kept too."
)
# Functions rather than Blocks of their own, each of which would take 0.15 s at the start.
TABS = (
    ("Draw", draw.build),
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
        resolve({type: "plotly", plot: '{"data": [], "layout": {}}'});
    };
    touches.forEach(touch => addEventListener(touch, wait, true));
    wait();
})"""
"""Runs in the browser: resolves to an empty plot once the page has not been touched for a second."""
SYSTEM_FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")
MONOSPACE_FONTS = ("ui-monospace", "Menlo", "Consolas", "monospace")


class Page(gr.Blocks):
    """Blocks that open only files that were uploaded to them, whichever component or endpoint names the file."""

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *others: Any, **options: Any) -> list[Any]:
        """Return the arguments of an event's function. Raises gr.Error for a file that was not uploaded."""
        await asyncio.to_thread(check_uploaded, inputs)
        arguments: list[Any] = await super().preprocess_data(block_fn, inputs, *others, **options)
        return arguments


def build_page(services: Services, notice: Callable[[], str]) -> gr.Blocks:
    """Build the whole page. notice: called at every visit for the Markdown shown above the tabs; empty for none."""
    page = Page(title=TITLE, analytics_enabled=False, delete_cache=(600, 3600))
    with page:
        gr.Markdown(f"# {TITLE}\n{INTRODUCTION}", elem_id="title")
        notice_line = gr.Markdown(visible=False, elem_id="notice")
        with gr.Tabs():
            for name, build_tab in TABS:
                with gr.Tab(name, elem_id=f"{name.lower()}-tab"):
                    build_tab(services)
        if services.recorder is not None:
            gr.Markdown(PRIVACY, elem_id="privacy")
        _run_timers_of_open_tab(page)
        _fetch_plots_when_idle(page)
        if footer := links(services.settings):
            gr.Markdown(footer, elem_id="links")
        page.load(lambda: gr.update(value=notice(), visible=bool(notice())), None, notice_line, **PRIVATE)
    return page


def _run_timers_of_open_tab(page: gr.Blocks) -> None:
    """Let a tab's timers tick only while it is in front. Done in the browser: an event of the server's could, at its
    end, close the stream of answers on an event of the tab's own that was sent at the same moment."""
    tabs = [block for block in page.blocks.values() if isinstance(block, gr.Tab)]
    tab_of_timer = {block: block.parent for block in page.blocks.values() if isinstance(block, gr.Timer)}
    for open_tab in tabs:
        updates = [{"__type__": "update", "active": tab is open_tab} for tab in tab_of_timer.values()]
        open_tab.select(None, None, list(tab_of_timer), js=f"() => {json.dumps(updates)}", **PRIVATE)


def _fetch_plots_when_idle(page: gr.Blocks) -> None:
    """Load the 4.6 MB of script behind Gradio's plots, which take a second to start, before a tab needs them and while
    nobody draws: an empty plot has the browser do so."""
    empty_plot = gr.Plot(visible="hidden", show_label=False)
    page.load(None, None, empty_plot, js=EMPTY_PLOT_WHEN_IDLE, **PRIVATE)


def appearance() -> dict[str, Any]:
    """Return the arguments of `launch` for the page's appearance, which needs nothing from another host."""
    theme = gr.themes.Soft(primary_hue="indigo", neutral_hue="slate", font=SYSTEM_FONTS, font_mono=MONOSPACE_FONTS)
    contrast = {  # where Soft's own is below 4.5 to 1; and its grey page, which set() would lose
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


def links(settings: Settings) -> str:
    """Return Markdown of the links that are set, empty if none is."""
    addresses = {
        "Code": settings.repository_url,
        "Container image": settings.image_url,
        "Video": settings.video_url,
        "Public page": settings.deployment_url,
    }
    return " · ".join(f"[{name}]({url})" for name, url in addresses.items() if url)
