"""Section of the Retrain tab: corrections that contradict the model, about which the operator is asked."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from experiments.data.specs import SPECS
from serving.learning.contradictions import Question, open_questions
from serving.page.widgets.controls import OperatorEvents
from serving.page.widgets.errors import page_error
from serving.page.widgets.gallery import gallery
from serving.services import BULK_SECONDS, Services

SHOWN = 24  # pictures of each question
HELP = (
    "Corrections to labels that the model finds impossible, even where the image is distorted a little, are not learnt "
    "before somebody has said that they are right, however many people sent them. Accepting them above is no answer."
)
NONE = "<p>No corrections contradict the model.</p>"
Ids = dict[str, list[int]]  # of the corrections that were shown under each question
SectionUpdate = tuple[str, Ids, dict[str, Any], dict[str, Any], dict[str, Any]]


def build(services: Services, dataset: gr.Radio) -> None:
    """Add the section."""
    gr.Markdown(HELP)
    showing = gr.Button("Show questions")
    pictures = gr.HTML(elem_id="questions")
    shown = gr.State({}, time_to_live=3600)
    chosen = gr.CheckboxGroup([], label="Are they right?", visible=False, elem_id="question")
    with gr.Row():
        confirming = gr.Button("They are right: learn them", visible=False)
        dropping = gr.Button("Drop them", variant="stop", visible=False)

    def show(dataset: str) -> SectionUpdate:
        return section_update(open_questions(services, dataset), dataset)

    def answer(right: bool) -> Callable[..., SectionUpdate]:
        def decide(dataset: str, shown: Ids, chosen: list[str]) -> SectionUpdate:
            ids = [each for name in chosen for each in shown.get(name, [])]
            if not ids:
                raise page_error("Choose what to answer first.")
            services.corrections.answer(ids, right)
            return show(dataset)

        return decide

    events = OperatorEvents(services, services.database_calls, dataset)
    section = [pictures, shown, chosen, confirming, dropping]
    judging: dict[str, Any] = {"seconds": BULK_SECONDS, "concurrency_limit": 1}
    events.on(showing.click, show, [], section, **judging)
    events.on(confirming.click, answer(right=True), [shown, chosen], section, **judging)
    events.on(dropping.click, answer(right=False), [shown, chosen], section, **judging)


def section_update(questions: Sequence[Question], dataset: str) -> SectionUpdate:
    """Updates of the section: the pictures, which ones they are, and what can be answered."""
    ids: Ids = {str(question): question.corrections.ids.tolist() for question in questions}
    there = gr.update(visible=bool(questions))
    boxes = gr.update(choices=list(ids), value=[], visible=bool(questions))
    return "".join(_report(question, dataset) for question in questions) or NONE, ids, boxes, there, there


def _report(question: Question, dataset: str) -> str:
    """HTML: the question, and the newest of its pictures."""
    names, data = SPECS[dataset].class_names, question.corrections.data
    newest = [(image, names[label]) for image, label in zip(data.images[::-1], data.labels[::-1], strict=True)][:SHOWN]
    more = len(data.labels) - len(newest)
    rest = f"<p>… and {more:,} more.</p>" if more else ""
    return f"<p><b>{html.escape(str(question))}.</b></p>{gallery(newest)}{rest}"
