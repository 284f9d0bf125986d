"""The Batch tab: many pictures or a zip in; a gallery, a table, a chart and, with labels, the share that is right."""

import time
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from model_loader import Classifier
from serving.core import logs
from serving.page.widgets.charts import BLUE, GREEN, ORANGE, VIOLET, Chart, axis, bars, chart, plot_data
from serving.page.widgets.controls import PRIVATE, PROGRESS, dataset_switch, selected_classifier
from serving.page.widgets.errors import show_errors
from serving.page.widgets.files import cache_file, cache_image
from serving.prediction.batch_summary import COLUMNS, NO_ANSWER, BatchSummary
from serving.prediction.predict import FileResult, predict_many
from serving.services import Services
from serving.uploads.file_labels import labels_in
from serving.uploads.page_files import uploaded_files
from serving.uploads.zips import Limits

THUMBNAIL = 112  # px
SHOWN = 120  # pictures in the gallery: more would take the browser seconds
COLOURS = {"sure": BLUE, "unsure": ORANGE, "rejected": VIOLET, "blank": GREEN}  # of verdicts
HELP = (
    "Drop up to {:,} pictures each of one thing, or a zip of up to 10 MB. Names may carry labels, and then the share "
    "that is right is shown: a folder called like the class (`7/img.png` or `cat/img.png`, in a zip), or a file name "
    "that starts or ends with it (`7_012.png`, `img-cat.png`) if all of them do."
)


def build(services: Services) -> None:
    """Fill the tab."""

    def read_all(
        dataset: str, uploads: list[dict[str, Any]] | None, request: gr.Request, progress: gr.Progress = PROGRESS
    ) -> list[Any]:
        classifier = selected_classifier(services, dataset)
        address, request_id = request.client.host if request.client else "", logs.request_id()
        started = time.perf_counter()
        with show_errors(services, "The batch could not be answered."):
            results = _predict(classifier, services.limits, uploads or [], progress)
        seconds = time.perf_counter() - started
        predictions = [result.prediction for result in results]
        services.record(dataset, request_id, "batch", address, 1000 * seconds / len(results), predictions)
        class_names = classifier.bundle.class_names
        labels = labels_in([result.name for result in results], class_names)
        return _outputs(BatchSummary(results, labels, class_names), seconds)

    gr.Markdown(HELP.format(services.limits.files))
    dataset = dataset_switch(services)
    files = gr.File(label="Pictures or zip files", file_count="multiple", height=180, elem_id="batch-files")
    start = gr.Button("Read all", variant="primary")
    sentences = gr.Markdown(elem_id="batch-summary")
    download = gr.DownloadButton("Table as CSV", size="sm", visible=False)
    plot = gr.Plot(label="Answers", visible=False, elem_id="batch-chart", elem_classes="chart")
    confusion = gr.Dataframe(label="Label (row) and answer (column)", visible=False, elem_id="batch-confusion")
    gallery = gr.Gallery(
        label="Pictures", show_label=False, visible=False, columns=6, object_fit="contain", elem_id="batch-gallery"
    )
    table = gr.Dataframe(label="Table", headers=list(COLUMNS), visible=False, max_height=400, elem_id="batch-table")
    start.click(
        read_all,
        [dataset, files],
        [sentences, download, plot, confusion, gallery, table],
        preprocess=False,  # Gradio's own leaves an empty file behind for each upload
        concurrency_limit=1,  # so that a batch leaves the Draw tab quick
        show_progress_on=files,
        **PRIVATE,
    )


def _predict(
    classifier: Classifier, limits: Limits, uploads: list[dict[str, Any]], progress: gr.Progress
) -> list[FileResult]:
    """One result or more. Raises Refused when there is nothing or too much to read."""
    with uploaded_files(uploads, limits) as (count, files):
        return list(predict_many(classifier, progress.tqdm(files, total=count, unit="pictures"), thumbnail))


def thumbnail(pixels: np.ndarray) -> Image.Image:
    """pixels: uint8 [H, W, 4]. Return a picture of at most THUMBNAIL px on white."""
    small = Image.fromarray(pixels)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    sheet = Image.new("RGBA", small.size, "white")
    sheet.alpha_composite(small)
    return sheet.convert("RGB")


def _outputs(summary: BatchSummary, seconds: float) -> list[Any]:
    """The values of the tab's outputs, in their order."""
    confusion = {"headers": ["Label", *summary.class_names, NO_ANSWER], "data": summary.confusion()}
    return [
        summary.sentences(seconds),
        gr.update(value=cache_file("batch.csv", lambda file: file.write_bytes(summary.csv())), visible=True),
        gr.update(value=plot_data(answers_chart(summary)), visible=True),
        gr.update(value=confusion, visible=bool(confusion["data"])),
        gr.update(value=_gallery(summary), visible=True),
        gr.update(value=summary.rows(), visible=True),
    ]


def answers_chart(summary: BatchSummary) -> Chart:
    """How many pictures got each answer, a colour for each verdict."""
    counts = {(answer, verdict): count for answer, verdict, count in summary.answers()}
    answers = [name for name in (*summary.class_names, NO_ANSWER) if name in {answer for answer, _ in counts}]
    traces = [
        bars(answers, [counts.get((answer, verdict), 0) for answer in answers], verdict, colour)
        for verdict, colour in COLOURS.items()
        if verdict in {verdict for _, verdict in counts}
    ]
    return chart(traces, axis("answer", type="category"), axis("pictures"), barmode="stack", showlegend=True)


def _gallery(summary: BatchSummary) -> list[tuple[str, str]]:
    """Previews and their captions, wrong answers first, sure ones last."""
    items = []
    for result, label, correct in zip(summary.results, summary.labels, summary.correct, strict=True):
        if result.prediction and result.preview:
            answer = " or ".join(result.prediction.candidates) or result.prediction.label or NO_ANSWER
            caption = f"{answer}, not {label}" if correct is False else answer
            items.append((correct is not False, result.prediction.verdict == "sure", result.preview, caption))
    items.sort(key=lambda item: item[:2])
    return [(cache_image(preview), caption) for *_, preview, caption in items[:SHOWN]]
