"""In the Retrain tab: labelled pictures, checked and then kept as training data. The operator's."""

import html
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.components import Component

from experiments.data.specs import SPECS
from serving.core import logs
from serving.learning.known_images import known_images
from serving.learning.upload_check import CheckedUpload, as_corrections, check_upload
from serving.page.widgets.controls import PRIVATE, require_operator, selected_classifier, show_errors
from serving.page.widgets.gallery import gallery
from serving.page.widgets.tables import table
from serving.storage.records import ReviewState
from serving.uploads.page_files import uploaded_files

if TYPE_CHECKING:
    from model_loader import Classifier
    from serving.services import Services

HELP = (
    "Drop up to {:,} pictures, or a zip of up to {} MB. What they show is said by the folders of a zip (`7/img.png`), "
    "by a CSV among them with a file name and a label in each row, by file names (`7_012.png`), or by a label chosen "
    "for all. Nothing is kept before you have seen what the check found."
)
AS_SENT = "as folders, names or a CSV say"
CONTRADICTED: list[tuple[str, ReviewState]] = [
    ("review them one by one", "pending"), ("accept them", "accepted"), ("leave them out", "dropped")
]  # fmt: skip
SHOWN = 60  # pictures and faults: more would take the browser seconds
Shown = tuple[Any, str, str, dict[str, Any], dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Staged:
    """What was checked and waits for the operator's word."""

    dataset: str
    checked: CheckedUpload


def build(services: "Services", key: Component, dataset: Component) -> None:
    """Adds the section."""
    gr.Markdown(HELP.format(services.training_limits.files, services.training_limits.total_mb))
    files = gr.File(label="Labelled pictures", file_count="multiple", height=160, elem_id="training-files")
    offered = _labels(selected_classifier(services, dataset.value))
    label = gr.Dropdown(offered, value=AS_SENT, label="What they show", interactive=True)
    start = gr.Button("Check")
    staged = gr.State(None, time_to_live=3600)
    told = gr.Markdown(elem_id="upload-told")
    found = gr.HTML(elem_id="upload-found")
    contradicted = gr.Radio(CONTRADICTED, value="pending", label="Pictures the model contradicts", visible=False)
    keeping = gr.Button("Keep", variant="primary", visible=False)
    parts = [staged, told, found, contradicted, keeping]
    look, keep = _handlers(services)

    def labels(dataset: str) -> dict[str, Any]:
        return gr.update(choices=_labels(selected_classifier(services, dataset)), value=AS_SENT)

    dataset.change(labels, dataset, label, **PRIVATE)
    start.click(
        look,
        [key, dataset, label, files],
        parts,
        preprocess=False,  # Gradio's own leaves an empty file behind for each upload
        concurrency_limit=1,
        show_progress_on=files,
        **PRIVATE,
    )
    keeping.click(keep, [key, staged, contradicted], parts, **PRIVATE)


def _handlers(services: "Services") -> tuple[Callable[..., Shown], Callable[..., Shown]]:
    """What checks an upload, and what keeps it."""
    progress = gr.Progress()

    def look(
        request: gr.Request,
        key: str,
        dataset: str,
        label: str,
        uploads: list[dict[str, Any]] | None,
        progress: gr.Progress = progress,
    ) -> Shown:
        require_operator(services, request, key)
        staged = Staged(dataset, _checked(services, dataset, label, uploads or [], progress))
        count, doubted = len(staged.checked.pictures), len(staged.checked.contradicted)
        keep = gr.update(value=f"Keep {count:,} pictures", visible=count > 0)
        return staged, summary(staged), details(staged), gr.update(visible=doubted > 0), keep

    def keep(request: gr.Request, key: str, staged: Staged | None, contradicted: ReviewState) -> Shown:
        require_operator(services, request, key)
        hidden = gr.update(visible=False)
        return None, _kept(services, request, staged, contradicted), "", hidden, hidden

    return look, keep


def summary(staged: Staged) -> str:
    """Markdown: what the check found."""
    checked = staged.checked
    counts = checked.counts(SPECS[staged.dataset].class_names)
    each = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    told = [f"**{len(checked.pictures):,} pictures can be kept** ({each})."]
    told += [f"{count:,} are there already, in {where}: left out." for where, count in checked.duplicates.items()]
    if checked.faults:
        told.append(f"{len(checked.faults):,} can't be used: left out, for the reasons below.")
    if doubted := len(checked.contradicted):
        told.append(f"**{doubted:,} show something else, says the model**: they are below, with what it reads.")
    if not checked.compared:
        told.append("Not compared with the data set's own images, which are not on this machine.")
    return "\n\n".join(told)


def details(staged: Staged) -> str:
    """HTML: the pictures that the model contradicts, and what is wrong with files."""
    doubted = staged.checked.contradicted
    shown = gallery(
        (each.image, f"{each.label}, read as {each.prediction.label or 'none'}") for each in doubted[:SHOWN]
    )
    rows = [(html.escape(name), html.escape(fault)) for name, fault in list(staged.checked.faults.items())[:SHOWN]]
    return (shown if doubted else "") + (table((), rows) if rows else "")


def _labels(classifier: "Classifier") -> list[str]:
    return [AS_SENT, *classifier.bundle.class_names]


def _checked(
    services: "Services", dataset: str, label: str, uploads: list[dict[str, Any]], progress: gr.Progress
) -> CheckedUpload:
    from serving.storage.corrections import Corrections

    classifier, settings = selected_classifier(services, dataset), services.settings
    with show_errors(services, "The upload could not be checked."):
        kept = Corrections(services.database).known_digests(dataset)
        theirs = known_images(dataset, settings, lambda *done: progress(done, unit="of the data set's own images"))
        with ExitStack() as opened:
            count, files = uploaded_files(uploads, services.training_limits, opened)
            named = None if label == AS_SENT else label
            return check_upload(classifier, files, named, kept, theirs, lambda n: progress((n, count), unit="pictures"))


def _kept(services: "Services", request: gr.Request, staged: Staged | None, contradicted: ReviewState) -> str:
    from serving.storage.corrections import Corrections

    if staged is None or contradicted not in [state for _, state in CONTRADICTED]:
        raise gr.Error("There is nothing checked to keep. Check some pictures first.", print_exception=False)
    client = services.client_ids.id_of(request.client.host if request.client else "")
    rows = as_corrections(staged.checked, staged.dataset, logs.request_id(None), client, contradicted)
    with show_errors(services, "The pictures could not be kept."):
        Corrections(services.database).add(rows)
    waiting = sum(row.state == "pending" for row in rows)
    return f"Kept {len(rows) - waiting:,} pictures as training data" + (
        f"; {waiting:,} wait for review." if waiting else "."
    )
