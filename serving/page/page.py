"""The page: its title, its tabs and its appearance."""

import asyncio
import html
import json
import logging
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.data_classes import APIInfo
from gradio.routes import file_upload_statuses

from serving.core.errors import Refused
from serving.page.card import INTRODUCTION, TITLE
from serving.page.event_queue import EventQueue
from serving.page.languages import TELL_LANGUAGE, catalogue_of, translate_output, translate_page, unmarked
from serving.page.retrain import tab as retrain_tab
from serving.page.tabs import batch, draw, experiments, history, insights, photo, status
from serving.page.widgets import share
from serving.page.widgets.controls import PRIVATE, operator_refusal
from serving.page.widgets.errors import page_error, show_errors
from serving.page.widgets.files import check_values
from serving.services import Services
from settings import Settings

PRIVACY = (
    "Each answer is kept with its time, label, confidence and model, the small image the model saw, and a keyed hash "
    "in place of your address. *Answer while I draw* keeps nothing; if you correct or share an answer, your picture is "
    "kept too."
)
WRONG_VALUES = (
    "These values are not what this event takes. Load the page anew; for programs, /?view=api describes them."
)
AT_THE_END = (10**9, 10**9)  # Gradio deletes this page's files when it stops; until then the cache does
UPLOADS_FOLLOWED = 1000
CONCURRENCY = 8  # of each event's function, where it names no other
# Functions rather than Blocks of their own, each of which would take 0.15 s at the start.
TABS = {"Draw": draw.build, "Photo": photo.build, "Batch": batch.build, "Insights": insights.build}
OPERATOR_TABS = {
    "Experiments": experiments.build,
    "History": history.build,
    "Retrain": retrain_tab.build,
    "Status": status.build,
}
FOR_THE_OPERATOR = (  # in HTML, since Gradio opens the links of Markdown in another window
    "<p>This tab is the operator's. Open the operator's link, which the program printed at its start, or "
    '<a href="/operator">give the key</a>.</p>'
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
    """Blocks whose events open only files of the cache of uploads, whichever component or endpoint names the file, and
    whose errors are short and in words."""

    def __init__(self, services: Services, **options: Any) -> None:
        super().__init__(**options)
        self._services = services
        self._queue = EventQueue(self, CONCURRENCY)

    def forget_files(self, paths: set[str]) -> None:
        """Forget files that are deleted, of which Gradio would keep the paths, and the progress of old uploads."""
        for files in self.temp_file_sets:
            files.difference_update(paths)
        if len(file_upload_statuses._signals) > UPLOADS_FOLLOWED:  # noqa: SLF001 nothing else ever empties them
            file_upload_statuses._signals.clear()  # noqa: SLF001
            file_upload_statuses._statuses.clear()  # noqa: SLF001

    async def process_api(self, *event: Any, **options: Any) -> dict[str, Any]:
        """Run an event's function, and translate what it shows. Raises gr.Error alone."""
        catalogue = catalogue_of(options.get("request"))
        try:
            with show_errors(self._services):
                answer: dict[str, Any] = await super().process_api(*event, **options)
        except gr.Error as error:
            if catalogue is None:
                raise
            translated = page_error(catalogue.translate(html.unescape(str(error.message))))
            translated.title = catalogue.translate(error.title)
            raise translated from None
        if catalogue is not None:
            shown = zip(options["block_fn"].outputs, answer["data"], strict=False)
            answer["data"] = [translate_output(component, value, catalogue) for component, value in shown]
        return answer

    def get_api_info(self, *selection: Any, **options: Any) -> APIInfo:
        """Describe the endpoints, in English: programs are told no marks."""
        described = json.dumps(super().get_api_info(*selection, **options))
        info: APIInfo = json.loads(described)
        for endpoint in info["named_endpoints"].values():
            for value in (*endpoint["parameters"], *endpoint["returns"]):
                value["label"] = unmarked(value["label"])
        return info

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *others: Any, **options: Any) -> list[Any]:
        """Return the arguments of an event's function. Raises gr.Error or Refused for values that it does not take."""
        if block_fn.fn is None:
            raise page_error("This event runs in the browser alone.")
        try:
            await asyncio.to_thread(check_values, inputs, self._services.limits.files)
            arguments: list[Any] = await super().preprocess_data(block_fn, inputs, *others, **options)
        except (gr.Error, Refused):
            raise
        except Exception as error:  # of as many kinds as Gradio has components
            logging.getLogger(__name__).info("An event's values are wrong: %s.", type(error).__name__)
            raise page_error(WRONG_VALUES) from None
        return arguments


def build_page(services: Services, notice: Callable[[], str]) -> gr.Blocks:
    """Build the whole page. notice: called at every visit for the Markdown shown above the tabs; empty for none."""
    page = Page(services, title=TITLE, analytics_enabled=False, delete_cache=AT_THE_END)
    services.upload_cache.added, services.upload_cache.deleted = page.upload_file_set.update, page.forget_files
    with page:
        gr.Markdown(f"# {TITLE}\n{INTRODUCTION}", elem_id="title")
        notice_line = gr.Markdown(visible=False, elem_id="notice")
        share.build_opened(page, services)
        with gr.Tabs():
            for name, build_tab in TABS.items():
                with gr.Tab(name, elem_id=f"{name.lower()}-tab"):
                    build_tab(services)
            operator_tabs = [_operator_tab(services, name) for name in OPERATOR_TABS]
        if services.recorder is not None:
            gr.Markdown(PRIVACY, elem_id="privacy")
        _run_timers_of_open_tab(page)
        _fetch_plots_when_idle(page)
        if footer := links(services.settings):
            gr.Markdown(footer, elem_id="links")
        _tell_visitors(page, services, notice, notice_line, operator_tabs)
        page.load(None, None, None, js=TELL_LANGUAGE, **PRIVATE)
        translate_page(page)
    return page


def _operator_tab(services: Services, name: str) -> tuple[gr.HTML, gr.Column]:
    """Lay out a tab of the operator's: a line for everyone else, and its content."""
    with gr.Tab(name, elem_id=f"{name.lower()}-tab") as tab:
        line = gr.HTML(FOR_THE_OPERATOR, elem_classes="for-the-operator")
        with gr.Column(visible=False) as content:
            OPERATOR_TABS[name](services, tab)
    return line, content


def _tell_visitors(
    page: Page,
    services: Services,
    notice: Callable[[], str],
    notice_line: gr.Markdown,
    operator_tabs: list[tuple[gr.HTML, gr.Column]],
) -> None:
    """At every visit, show the notice, and the operator the operator's tabs."""

    def show(request: gr.Request) -> list[dict[str, Any]]:
        if operator_refusal(services, request):
            tabs = [gr.skip()] * 2 * len(operator_tabs)
        else:
            tabs = [gr.update(visible=False), gr.update(visible=True)] * len(operator_tabs)
        return [gr.update(value=notice(), visible=bool(notice())), *tabs]

    page.load(show, None, [notice_line, *chain.from_iterable(operator_tabs)], **PRIVATE)


def _run_timers_of_open_tab(page: gr.Blocks) -> None:
    """Let a tab's timers tick only while it is in front. Done in the browser: an event of the server's could, at its
    end, close the stream of answers on an event of the tab's own that was sent at the same moment."""
    tabs = [block for block in page.blocks.values() if isinstance(block, gr.Tab)]
    tab_of_timer = {block: _tab_of(block) for block in page.blocks.values() if isinstance(block, gr.Timer)}
    for open_tab in tabs:
        updates = [{"__type__": "update", "active": tab is open_tab} for tab in tab_of_timer.values()]
        open_tab.select(None, None, list(tab_of_timer), js=f"() => {json.dumps(updates)}", **PRIVATE)


def _tab_of(block: Block | None) -> Block | None:
    """The tab that a component is in."""
    return block if block is None or isinstance(block, gr.Tab) else _tab_of(block.parent)


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
        "input_border_color": "*neutral_300",
        "checkbox_label_background_fill_selected": "*primary_600",
        "link_text_color_dark": "*primary_300",
        "link_text_color_visited_dark": "*primary_300",
        "checkbox_border_color": "*neutral_500",
        "checkbox_border_color_dark": "*neutral_400",
        "body_text_color_subdued": "*neutral_600",
        "body_text_color_subdued_dark": "*neutral_300",
        # Labels quiet: Soft's are chips in the accent, which is for what can be pressed.
        "block_label_background_fill": "*block_background_fill",
        "block_label_background_fill_dark": "*block_background_fill",
        "block_label_border_width": "0px",
        "block_label_shadow": "none",
        "block_label_text_color": "*body_text_color",
        "block_title_background_fill": "transparent",
        "block_title_padding": "0",
        "block_title_text_color": "*body_text_color",
    }
    return {
        "theme": theme.set(**contrast),
        "css_paths": Path(__file__).with_name("page.css"),
        "js": Path(__file__).with_name("page.js").read_text(),
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
