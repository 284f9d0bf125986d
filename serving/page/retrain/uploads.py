"""Section of the Retrain tab: labelled pictures, checked and then kept as training data."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import gradio as gr

from experiments.data.specs import SPECS
from experiments.insights.html_tables import html_table
from model_loader import Classifier
from serving.core import logs
from serving.learning.known_images import known_images
from serving.learning.upload_check import CheckedUpload, as_corrections, check_upload
from serving.page.widgets.controls import (
    PRIVATE,
    PROGRESS,
    OperatorEvents,
    Refresh,
    client_of_event,
    require_operator,
    selected_classifier,
)
from serving.page.widgets.errors import page_error, show_errors
from serving.page.widgets.gallery import gallery
from serving.services import BULK_SECONDS, Services
from serving.storage.records import ReviewState
from serving.uploads.cache import MAX_FILE_MB
from serving.uploads.page_files import uploaded_files

HELP = (
    "Upload up to {:,} pictures, a zip of up to {} MB, or MNIST as idx, npz or CSV. Labels come from a CSV with a file "
    "name and a label in each row, from the folders of a zip (`7/img.png`), from file names (`7_012.png`), or from one "
    "label chosen for all. "
    "Nothing is kept before you have seen the result of the check."
)
FROM_FILES = "from folders, file names or a CSV"
CONTRADICTED: list[tuple[str, ReviewState]] = [
    ("review them one by one", "pending"), ("accept them", "accepted"), ("leave them out", "dropped")
]  # fmt: skip
LISTED = 60  # pictures and faults: more would take the browser seconds
Pending = tuple[str, CheckedUpload]  # data set and pictures, checked but not yet kept
SectionUpdate = tuple[Any, str, str, dict[str, Any], dict[str, Any]]


def build(services: Services, dataset: gr.Radio) -> Refresh:
    """Add the section."""
    gr.Markdown(HELP.format(services.training_limits.files, MAX_FILE_MB))
    files = gr.File(label="Labelled pictures", file_count="multiple", height=160, elem_id="training-files")
    choices = _label_choices(selected_classifier(services, dataset.value))
    label = gr.Dropdown(choices, value=FROM_FILES, label="Labels", interactive=True)
    checking = gr.Button("Check")
    pending = gr.State(None, time_to_live=3600)
    summary = gr.Markdown(elem_id="upload-summary")
    details = gr.HTML(elem_id="upload-details")
    contradicted = gr.Radio(CONTRADICTED, value="pending", label="Pictures the model contradicts", visible=False)
    keeping = gr.Button("Keep", variant="primary", visible=False)
    section = [pending, summary, details, contradicted, keeping]
    handlers = _Handlers(services)

    def offer_labels(dataset: str) -> dict[str, Any]:
        return gr.update(choices=_label_choices(selected_classifier(services, dataset)), value=FROM_FILES)

    checking.click(
        handlers.check,
        [dataset, label, files],
        section,
        preprocess=False,  # Gradio's own leaves an empty file behind for each upload
        concurrency_limit=1,
        show_progress_on=files,
        **PRIVATE,
    )
    keeping.click(handlers.keep, [pending, contradicted], section, **PRIVATE)
    events = OperatorEvents(services, dataset=dataset)
    return partial(events.refresh, handler=offer_labels, inputs=[], outputs=label)


class _Handlers:
    """The handlers of the section's two buttons."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def check(
        self,
        request: gr.Request,
        dataset: str,
        label: str,
        files: list[dict[str, Any]] | None,
        progress: gr.Progress = PROGRESS,
    ) -> SectionUpdate:
        """Check the pictures and show the result."""
        services = self._services
        require_operator(services, request)
        selected_classifier(services, dataset)
        with show_errors(services, "The upload could not be checked."):
            kept = await services.database_calls.call_within(
                BULK_SECONDS, lambda: services.corrections.known_digests(dataset)
            )
            unit = "of the data set's own images"
            known = await asyncio.to_thread(
                known_images, dataset, services.settings, lambda *done: progress(done, unit=unit)
            )
            with ExitStack() as stack:
                opened = uploaded_files(files or [], services.training_limits)
                count, pictures = await asyncio.to_thread(stack.enter_context, opened)
                tracked = progress.tqdm(pictures, total=count, unit="pictures")
                chosen = None if label == FROM_FILES else label
                checked = await check_upload(services, dataset, client_of_event(request), tracked, chosen, kept, known)
        count, doubtful = len(checked.pictures), bool(checked.contradicted)
        keep = gr.update(value=f"Keep {count:,} pictures", visible=count > 0)
        summary = check_summary(checked, SPECS[dataset].class_names)
        return (dataset, checked), summary, check_details(checked), gr.update(visible=doubtful), keep

    async def keep(self, request: gr.Request, pending: Pending | None, contradicted: ReviewState) -> SectionUpdate:
        """Keep the pictures that were checked, and say so."""
        services = self._services
        require_operator(services, request)
        if pending is None or contradicted not in [state for _, state in CONTRADICTED]:
            raise page_error("There is nothing to keep yet. Check some pictures first.")
        dataset, checked = pending
        with show_errors(services, "The pictures could not be kept."):
            client = services.client_ids.id_of(client_of_event(request))
            corrections = as_corrections(checked, dataset, logs.request_id(), client, contradicted, shown=True)
            await services.database_calls.call_within(BULK_SECONDS, lambda: services.corrections.add(corrections))
        to_review = sum(correction.state == "pending" for correction in corrections)
        message = f"Pictures kept as training data: {len(corrections) - to_review:,}."
        message += f" Pending review: {to_review:,}." if to_review else ""
        return None, message, "", gr.update(visible=False), gr.update(visible=False)


def check_summary(checked: CheckedUpload, class_names: Sequence[str]) -> str:
    """Markdown: how many pictures can be kept, and what became of the others."""
    counts = Counter(picture.label for picture in checked.pictures)
    by_class = ", ".join(f"{name} {counts[name]:,}" for name in class_names)
    lines = [f"**{len(checked.pictures):,} pictures can be kept** ({by_class}).", *checked.notes]
    lines += [f"{count:,} left out: already in {place}." for place, count in checked.duplicates.items()]
    if checked.faults:
        lines.append(f"{len(checked.faults):,} left out: not usable, for the reasons below.")
    if doubtful := len(checked.contradicted):
        lines.append(f"**The model contradicts the label of {doubtful:,}**: shown below with its answer.")
    if not checked.compared:
        lines.append("Not compared with the data set's own images, which are not on this machine.")
    return "\n\n".join(lines)


def check_details(checked: CheckedUpload) -> str:
    """HTML: the pictures whose label the model contradicts, and what is wrong with the files left out."""
    doubtful = [
        (picture.image, f"{picture.label}, read as {picture.prediction.label or 'none'}")
        for picture in checked.contradicted[:LISTED]
    ]
    faults = list(checked.faults.items())[:LISTED]
    return (gallery(doubtful) if doubtful else "") + (html_table((), faults) if faults else "")


def _label_choices(classifier: Classifier) -> list[str]:
    return [FROM_FILES, *classifier.bundle.class_names]
