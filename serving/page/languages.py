"""The page in other languages than English: a file of `translations/` for each, by the English text."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component
from pydantic import BaseModel

FOLDER = Path(__file__).with_name("translations")
ENGLISH, COOKIE = "en", "language"
LONGEST = 2000  # characters of a text that is translated
SHOWN = ("label", "info", "placeholder", "value")  # of a component: what Gradio translates in the browser
SENTENCES = re.compile(r"(?<=[.?!]) (?=[A-Z\d(*/])")
IN_HTML = re.compile(r'(?<=>)[^<>]+(?=<)|(?<=alt=")[^"]+(?=")')
VISITORS_HTML = {"digits", "shared-answer"}  # classes or ids of components
MARKER = re.compile(r'__i18n__\{"__type__": "translation_metadata", "key": ("(?:[^"\\]|\\.)*")\}')
TELL_LANGUAGE = f"""() => {{
    const tell = () => document.cookie = `{COOKIE}=${{document.documentElement.lang}}; path=/; SameSite=Lax`;
    new MutationObserver(tell).observe(document.documentElement, {{attributeFilter: ["lang"]}});
    tell();
}}"""
"""Runs in the browser: the server is told the language that Gradio shows the page in, also after a switch."""


class Catalogue:
    """One language. A `{}` of an English text stands for anything, whose translation is put into that of the text.
    texts: what is shown as a whole or as a sentence; in_gaps: what is translated in a gap alone, as it is no text."""

    def __init__(self, texts: Mapping[str, str], in_gaps: Mapping[str, str]) -> None:
        self._texts, self._in_gaps = _patterns(texts), _patterns(in_gaps)

    def translate(self, text: str) -> str:
        """Translate a text, whole or sentence by sentence. What is not in the catalogue stays English."""
        if len(text) > LONGEST:
            return text
        sentences = SENTENCES.split(text)
        translated = [self._whole(sentence, self._texts) for sentence in sentences]
        if not all(translated) and (whole := self._whole(text, self._texts)):
            return whole
        return " ".join(own or sentence for own, sentence in zip(translated, sentences, strict=True))

    def translate_html(self, text: str) -> str:
        """Translate the text between tags, and that in place of pictures."""

        def translate(found: re.Match[str]) -> str:
            shown = found[0].strip()
            return found[0].replace(shown, html.escape(self._fill(html.unescape(shown)))) if shown else found[0]

        return IN_HTML.sub(translate, text)

    def _whole(self, text: str, patterns: "Patterns") -> str:
        """The translation of what fits one of the patterns; empty for anything else."""
        fitting = ((found, translation) for pattern, translation in patterns if (found := pattern.fullmatch(text)))
        return next((translation.format(*map(self._fill, found.groups())) for found, translation in fitting), "")

    def _fill(self, gap: str) -> str:
        translated = self.translate(gap)
        return translated if translated != gap else self._whole(gap, self._in_gaps) or gap


Patterns = list[tuple[re.Pattern[str], str]]


def _patterns(texts: Mapping[str, str]) -> Patterns:
    return [
        (re.compile(re.escape(english).replace(r"\{\}", "(.+?)"), re.DOTALL), translation)
        for english, translation in texts.items()
    ]


@cache
def catalogues() -> Mapping[str, Catalogue]:
    """By the language's code."""
    files = sorted(FOLDER.glob("*.json"))
    contents = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
    return {code: Catalogue(content["texts"], content["in gaps"]) for code, content in contents.items()}


def language_of(request: Any) -> str:
    """The language of the page that sent an event, as its cookie tells, or else its browser; English for programs."""
    chosen = str(request.cookies.get(COOKIE, ""))
    if not chosen and request.headers.get("sec-fetch-site") == "same-origin":
        chosen = str(request.headers.get("accept-language", ""))
    codes = (part.partition(";")[0].partition("-")[0].strip().lower() for part in chosen.split(","))
    return next((code for code in codes if code == ENGLISH or code in catalogues()), ENGLISH)


def catalogue_of(request: Any) -> Catalogue | None:
    """The catalogue of the page that sent an event; None where it is in English, or nobody asks."""
    return catalogues().get(language_of(request)) if request is not None else None


def translate_page(page: gr.Blocks) -> None:
    """Mark the texts of a page that have a translation, which the browser then shows, and give it the translations."""
    shown = list(_texts(page))
    texts = {
        code: {text: translation for _, _, text in shown if (translation := catalogue.translate(text)) != text}
        for code, catalogue in catalogues().items()
    }
    english = {text: text for translations in texts.values() for text in translations}
    page.i18n_instance = i18n = gr.I18n(**{ENGLISH: english}, **texts)
    for block, name, text in shown:
        if text in english:
            setattr(block, name, str(i18n(text)))


def _texts(page: gr.Blocks) -> Iterator[tuple[Any, str, str]]:
    """Component, attribute and text."""
    for block in page.blocks.values():
        for name in SHOWN:
            text = getattr(block, name, None)
            if isinstance(text, str) and not {"{", "}"} & set(text):  # which mean something to Gradio
                yield block, name, text


def unmarked(text: str) -> str:
    """The English text in place of each mark."""
    return MARKER.sub(lambda mark: str(json.loads(mark[1])), text)


def translate_output(component: Any, value: Any, catalogue: Catalogue) -> Any:
    """Translate what an event shows in a component: sentences and the names of classes."""
    if isinstance(value, dict) and value.get("__type__") == "update":
        return value | {"value": translate_output(component, value["value"], catalogue)} if "value" in value else value
    if isinstance(component, gr.Label) and isinstance(value, dict):
        confidences = value.get("confidences") or []
        translated = [each | {"label": catalogue.translate(str(each["label"]))} for each in confidences]
        return value | {"label": catalogue.translate(str(value.get("label") or "")), "confidences": translated or None}
    if isinstance(value, str) and {component.elem_id, *component.elem_classes} & VISITORS_HTML:
        return catalogue.translate_html(value)
    return catalogue.translate(value) if isinstance(value, str) and isinstance(component, gr.Markdown) else value


def as_sent(component: Component, value: Any, request: gr.Request) -> Any:
    """What Gradio sends to the page for a value of a component: JSON, translated."""
    sent = component.postprocess(value)  # type: ignore[no-untyped-call]
    sent = sent.model_dump() if isinstance(sent, BaseModel) else sent
    catalogue = catalogue_of(request)
    return sent if catalogue is None else translate_output(component, sent, catalogue)
