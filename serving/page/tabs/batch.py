"""The Batch tab: many pictures or a zip in; a gallery, a table, a chart and, with labels, the share that is right."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from serving.core import logs
from serving.core.errors import Refused
from serving.page.widgets.charts import BLUE, GREEN, ORANGE, TITLED, VIOLET, Chart, axis, bars, chart, plot_data
from serving.page.widgets.controls import PRIVATE, PROGRESS, client_of_event, dataset_switch, selected_classifier
from serving.page.widgets.errors import show_errors
from serving.page.widgets.files import cache_file, if_room
from serving.prediction.batch_summary import COLUMNS, NO_ANSWER, BatchSummary, one_line
from serving.prediction.predict import FileResult
from serving.prediction.prepare import Wanted
from serving.services import Services
from serving.uploads.cache import MAX_FILE_MB
from serving.uploads.contents import Contents
from serving.uploads.page_files import uploaded_files

THUMBNAIL = 112  # px
LISTED = 5  # faults of a table of labels
SHOWN = 120  # pictures in the gallery: more would take the browser seconds
COLOURS = {"sure": BLUE, "unsure": ORANGE, "rejected": VIOLET, "blank": GREEN}  # of verdicts
HELP = (
    "Drop up to {:,} pictures, each of one thing or a number, a zip of up to {} MB, or MNIST as idx, npz or CSV. With "
    "labels the share that is right is shown: from a CSV of file names and labels, from folders (`7/img.png`, "
    "`cat/img.png`, in a zip), or from file names (`7_012.png`, `42_001.png`, `img-cat.png`) if all carry one."
)


def build(services: Services) -> None:
    """Fill the tab."""

    async def read_all(
        dataset: str, uploads: list[dict[str, Any]] | None, request: gr.Request, progress: gr.Progress = PROGRESS
    ) -> list[Any]:
        classifier = selected_classifier(services, dataset)
        client, request_id = client_of_event(request), logs.request_id()
        started = time.perf_counter()
        with show_errors(services, "The batch could not be answered."):
            results, contents = await _predict(services, dataset, uploads or [], client, progress)
        seconds = time.perf_counter() - started
        predictions = [result.prediction for result in results]
        services.record(dataset, request_id, "batch", client, 1000 * seconds / len(results), predictions)
        summary = await asyncio.to_thread(_summary, results, contents, classifier.bundle.class_names)
        return await asyncio.to_thread(_outputs, summary, seconds)

    gr.Markdown(HELP.format(services.limits.files, MAX_FILE_MB))
    with gr.Column(elem_classes="card"):
        dataset = dataset_switch(services)
        files = gr.File(label="Pictures or zip files", file_count="multiple", height=160, elem_id="batch-files")
        start = gr.Button("Read all", variant="primary")
    with gr.Row(elem_classes="beside"):
        sentences = gr.Markdown(elem_id="batch-summary")
        download = gr.DownloadButton("Table as CSV", size="sm", visible=False, scale=0, min_width=160)
    plot = gr.Plot(label="Answers", visible=False, elem_id="batch-chart", elem_classes="chart")
    confusion = gr.Dataframe(label="Label (row) and answer (column)", visible=False, elem_id="batch-confusion")
    gallery = gr.Gallery(
        label="Pictures", show_label=False, visible=False, object_fit="contain", elem_id="batch-gallery"
    )
    table = gr.Dataframe(label="Table", headers=list(COLUMNS), visible=False, max_height=400, elem_id="batch-table")
    start.click(
        read_all,
        [dataset, files],
        [sentences, download, plot, confusion, gallery, table],
        preprocess=False,  # Gradio's own leaves an empty file behind for each upload
        concurrency_limit=2,  # each holds some of its pictures in memory
        show_progress_on=files,
        **PRIVATE,
    )


async def _predict(
    services: Services, dataset: str, uploads: list[dict[str, Any]], client: str, progress: gr.Progress
) -> tuple[list[FileResult], Contents]:
    """One result or more, and what the upload held. Raises Refused when there is nothing or too much to read."""
    with ExitStack() as stack:
        opened = uploaded_files(uploads, services.limits)
        count, files = await asyncio.to_thread(stack.enter_context, opened)
        tracked = progress.tqdm(files, total=count, unit="pictures")
        contents = Contents(tracked, services.limits)
        wanted = Wanted(dataset, preview=THUMBNAIL)
        results = await services.batcher.predict_many(wanted, contents, client, expect="auto")
    if not results:
        raise Refused(422, "no_picture", "There is no picture in this upload.", "Choose pictures or a zip of them.")
    return results, contents


def _summary(results: Sequence[FileResult], contents: Contents, class_names: Sequence[str]) -> BatchSummary:
    names, answers = [result.name for result in results], [result.sure_label for result in results]
    read = [result.prediction.label if result.prediction else "" for result in results]
    try:
        found = contents.labels(names, class_names, answers, read)
    except Refused as error:  # of the labels alone
        return BatchSummary(results, [""] * len(names), class_names, [*contents.notes, f"No labels: {error}"])
    labels = [""] * len(names) if found.doubted else found.labels
    faults = [f"{name}: {fault}" for name, fault in list(found.faults.items())[:LISTED]]
    return BatchSummary(results, labels, class_names, [*found.notes, *faults])


def _outputs(summary: BatchSummary, seconds: float) -> list[Any]:
    """The values of the tab's outputs, in their order."""
    confusion = {"headers": ["Label", *summary.class_names, NO_ANSWER], "data": summary.confusion()}
    table = if_room(cache_file, "batch.csv", lambda file: file.write_bytes(summary.csv()))
    answers, pictures = answers_chart(summary), _gallery(summary)
    return [
        summary.sentences(seconds),
        gr.update(value=table, visible=table is not None),
        gr.update(value=plot_data(answers), visible=bool(answers["data"])),
        gr.update(value=confusion, visible=bool(confusion["data"])),
        gr.update(value=pictures, visible=bool(pictures)),
        gr.update(value=summary.rows(), visible=True),
    ]


def answers_chart(summary: BatchSummary) -> Chart:
    """How many pictures, or digits of numbers, got each answer, a colour for each verdict."""
    counts = {(answer, verdict): count for answer, verdict, count in summary.answers()}
    answers = [name for name in (*summary.class_names, NO_ANSWER) if name in {answer for answer, _ in counts}]
    traces = [
        bars(answers, [counts.get((answer, verdict), 0) for answer in answers], verdict, colour)
        for verdict, colour in COLOURS.items()
        if verdict in {verdict for _, verdict in counts}
    ]
    layout: Chart = TITLED | {"height": 280, "barmode": "stack", "showlegend": True}
    return chart(traces, axis("answer", type="category"), axis(_counted(summary)), **layout)


def _counted(summary: BatchSummary) -> str:
    numbers = any(result.prediction and result.prediction.digits for result in summary.results)
    return "digits" if numbers else "pictures"


def _gallery(summary: BatchSummary) -> list[tuple[str, str]]:
    """Previews and their captions, wrong answers first, sure ones last."""
    items = []
    for result, label, correct in zip(summary.results, summary.labels, summary.correct, strict=True):
        if result.prediction and result.preview:
            answer = " or ".join(result.prediction.candidates) or one_line(result.prediction.label) or NO_ANSWER
            caption = f"{answer}, not {one_line(label)}" if correct is False else answer
            items.append((correct is not False, result.prediction.verdict == "sure", result.preview, caption))
    items.sort(key=lambda item: item[:2])
    shown = (
        (if_room(cache_file, "image.png", partial(_write, preview)), caption) for *_, preview, caption in items[:SHOWN]
    )
    return [(path, caption) for path, caption in shown if path]


def _write(content: bytes, file: Path) -> None:
    file.write_bytes(content)
