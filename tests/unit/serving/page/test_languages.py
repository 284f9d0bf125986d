"""The page in other languages: the catalogues are complete, and whoever asks gets their own."""

import ast
import importlib
import json
from types import SimpleNamespace

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.page.languages import FOLDER, SHOWN, as_sent, catalogues, language_of, translate_output, unmarked
from serving.page.widgets.share import opened_html
from settings import ROOT

GERMAN = catalogues()["de"]
TABS = ("draw-tab", "photo-tab", None)  # None: around the tabs
UNTRANSLATED = set("0123456789")
RAISERS = {"Refused": 2, "ImageError": 0, "page_error": 0, "show_errors": 1}
"""What shows a visitor its arguments as text, from this position on."""
SHOWN_BY = (
    "core/errors", "core/limits", "middleware/bodies", "middleware/doors", "core/received",
    "middleware/uploads", "uploads/cache", "prediction/prepare", "prediction/turns", "prediction/worker_pool",
    "learning/feedback", "learning/sharing", "page/page", "page/event_queue", "page/widgets/answer",
    "page/widgets/errors", "page/widgets/examples",
    "page/widgets/files", "page/widgets/feedback_buttons", "page/widgets/share", "page/tabs/draw", "page/tabs/photo",
)  # fmt: skip
"""Files of serving/ whose sentences visitors of Draw and Photo can meet."""
UNMET = (
    # Of programs alone.
    "session_hash", "A picture is an array", "Convert it", "A picture has the shape", "Reshape it", "Labels: ",
    # Put together of sentences, as test_composed_errors_are_translated has them.
    "{} The fault is", "{} in a supported format",
)  # fmt: skip


def tab_of(block):
    """The id of the outermost tab around a component."""
    name = None
    while block is not None:
        name = block.elem_id if isinstance(block, gr.Tab) else name
        block = block.parent
    return name


def request(cookie=None, **headers):
    cookies = {} if cookie is None else {"language": cookie}
    return SimpleNamespace(cookies=cookies, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_every_text_of_draw_and_photo_is_translated(build, services):
    page = build(services)
    blocks = [block for block in page.blocks.values() if tab_of(block) in TABS]
    values = [getattr(block, name, None) for block in blocks for name in SHOWN]
    texts = {unmarked(value) for value in values if isinstance(value, str) and value} - UNTRANSLATED
    assert len(texts) > 30
    marked = page.i18n_instance.translations_dict
    for code in catalogues():
        missing = sorted(texts - marked[code].keys())
        assert not missing, f"{code}: {missing}"


def template(node, module, assigned):
    """The text of an expression with {} for what is put in; empty for what is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        parts = [value.value for value in node.values]
        return "".join(part if isinstance(part, str) else constant(part, module) or "{}" for part in parts)
    if isinstance(node, ast.Name) and node.id in assigned:
        return template(assigned[node.id], module, {})
    return constant(node, module)


def constant(node, module):
    value = getattr(module, node.id, "") if isinstance(node, ast.Name) else ""
    return value if isinstance(value, str) else ""


def sentences(path):
    """Yield every sentence that a file shows by raising it."""
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes = list(ast.walk(function))
            names = {node.targets[0].id: node.value for node in nodes if isinstance(node, ast.Assign)
                     and isinstance(node.targets[0], ast.Name)}  # fmt: skip
            for call in (node for node in nodes if isinstance(node, ast.Call)):
                first = RAISERS.get(getattr(call.func, "id", ""))
                if first is not None:
                    yield from filter(None, (template(node, module, names) for node in call.args[first:]))


def test_every_error_that_a_visitor_can_meet_is_translated():
    files = [ROOT / "serving" / f"{name}.py" for name in SHOWN_BY]
    files += [ROOT / "experiments/preprocessing/decoding.py"]
    texts = {text for path in files for text in sentences(path) if not text.startswith(UNMET)}
    assert len(texts) > 40
    for code, catalogue in catalogues().items():
        met = {text: catalogue.translate(text.replace("{}", "XX")) for text in texts}
        missing = sorted(text for text, shown in met.items() if shown == text.replace("{}", "XX"))
        assert not missing, f"{code}: {missing}"


@pytest.mark.parametrize(
    "error",
    [
        "The answer could not be explained. The fault is on this side and has been logged; try again.",
        "This is not a picture in a supported format: PNG. Save it as a PNG and resend it.",
        "This is a PDF document, not a picture in a supported format: PNG.",
        "The picture is over the limit of 10 MiB. Send less.",
        "There is no answer to explain. Nothing drawn yet. Draw a digit or a number, then press Submit.",
    ],
)
def test_composed_errors_are_translated(error):
    translated = GERMAN.translate(error)
    assert not [word for word in ("The", "This", "Save", "Send", "There", "Nothing") if f"{word} " in translated]


def test_a_translation_has_as_many_gaps_as_its_text():
    for path in FOLDER.glob("*.json"):
        for texts in json.loads(path.read_text()).values():
            assert [text for text in texts.items() if text[0].count("{}") != text[1].count("{}")] == []


def test_translations_are_in_the_order_of_the_gaps():
    assert GERMAN.translate("Not sure: 4 or 9?") == "Nicht sicher: 4 oder 9?"
    words = "Not sure: the 2nd digit may be 4 or 9; the 3rd mark of row 2 is no digit."
    german = "Nicht sicher: die 2. Ziffer kann 4 oder 9 sein; das 3. Zeichen der 2. Zeile ist keine Ziffer."
    assert GERMAN.translate(words) == german
    assert GERMAN.translate("Not sure: horse or dog?") == "Nicht sicher: Pferd oder Hund?"


def test_sentences_are_translated_one_by_one_and_others_stay():
    assert GERMAN.translate("The picture is empty. Send the file's content.").startswith("Das Bild ist leer. Sende ")
    assert GERMAN.translate("Sure. Nobody has translated this.") == "Sicher. Nobody has translated this."


@given(st.text())
def test_any_text_is_translated_to_text(text):
    assert isinstance(GERMAN.translate(text), str)
    assert isinstance(GERMAN.translate_html(text), str)


@pytest.mark.parametrize(
    ("sent", "language"),
    [
        (request("de"), "de"),
        (request("de-AT"), "de"),
        (request("en", accept_language="de", sec_fetch_site="same-origin"), "en"),
        (request(accept_language="fr;q=0.9, de-CH", sec_fetch_site="same-origin"), "de"),
        (request(accept_language="de"), "en"),  # of a program
        (request("../de"), "en"),
        (request("xx"), "en"),
        (request(), "en"),
    ],
)
def test_the_language_is_that_of_the_page(sent, language):
    assert language_of(sent) == language


def test_an_answer_is_translated_where_people_read_it():
    answer = {"label": "horse", "confidences": [{"label": "horse", "confidence": 0.9}]}
    german = {"label": "Pferd", "confidences": [{"label": "Pferd", "confidence": 0.9}]}
    assert translate_output(gr.Label(), answer, GERMAN) == german
    assert translate_output(gr.JSON(), {"label": "horse"}, GERMAN) == {"label": "horse"}
    assert translate_output(gr.Markdown(), "Sure.", GERMAN) == "Sicher."
    boxes = '<img alt="no digit"><figcaption>Solid: sure. Dotted: no digit.</figcaption>'
    german = '<img alt="keine Ziffer"><figcaption>Durchgezogen: sicher. Gepunktet: keine Ziffer.</figcaption>'
    assert translate_output(gr.HTML(elem_classes="digits"), boxes, GERMAN) == german


def test_what_is_sent_is_what_gradio_makes_of_it_translated():
    label = gr.Label()
    assert as_sent(label, {"7": 0.9}, request())["label"] == "7"
    assert as_sent(gr.Markdown(), "Sure.", request("de")) == GERMAN.translate("Sure.") != "Sure."
    assert as_sent(gr.Markdown(), "Sure.", request()) == "Sure."


def test_a_shared_answer_is_translated():
    entry = SimpleNamespace(verdict="unsure", label="4", confidence=0.5, model_version="3", answered_at=0.0)
    shown = opened_html(SimpleNamespace(entry=entry, drawing=b""))
    german = translate_output(gr.HTML(elem_id="shared-answer"), shown, GERMAN)
    for words in (
        "Eine geteilte Antwort",
        "<strong>Nicht sicher.</strong> Zu 50 % sicher.",
        "Gelesen von Modell-Version",
    ):
        assert words in german
