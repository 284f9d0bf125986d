"""Documents as lists of parts, written as one self-contained HTML page or as a Word file."""

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

from docx import Document
from docx.shared import Inches, Pt

from experiments.insights.html_tables import html_table

STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; max-width: 900px; margin: 2rem auto; padding: 0 1rem; color: #1e293b; }
h1, h2, h3 { line-height: 1.25; margin-top: 2em; } img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 14px; }
th, td { border-bottom: 1px solid #cbd5e1; padding: 4px 10px; text-align: right; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1em 0; } figcaption { font-size: 14px; color: #475569; }
@media (prefers-color-scheme: dark) {
  body { background: #0f172a; color: #e2e8f0; } figcaption { color: #cbd5e1; } a { color: #a5b4fc; }
  img { background: #ffffff; } }
"""
PAGE_WIDTH = 6.0  # inches between the margins


@dataclass(frozen=True)
class Heading:
    """level: 2 for a section, 3 for a part of it."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Plain text. link: an address that follows it."""

    text: str
    link: str = ""


@dataclass(frozen=True)
class Table:
    """A row of headings and rows of as many texts."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows."""

    png: bytes
    caption: str


Part = Heading | Paragraph | Table | Picture


def as_html(title: str, parts: Sequence[Part]) -> str:
    """One self-contained page."""
    body = "\n".join(_html(part) for part in parts)
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    )
    page = f"<h1>{html.escape(title)}</h1>\n{body}"
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n<body>{page}\n</body></html>\n'


def as_docx(title: str, parts: Sequence[Part]) -> bytes:
    """A Word file."""
    document = Document()
    document.add_heading(title, 0)
    for part in parts:
        match part:
            case Heading(text, level):
                document.add_heading(text, level - 1)
            case Paragraph(text, link):
                document.add_paragraph(f"{text} {link}".strip())
            case Picture(png, caption):
                document.add_picture(io.BytesIO(png), width=Inches(PAGE_WIDTH))
                document.add_paragraph(caption, style="Caption")
            case Table(head, rows):
                table = document.add_table(rows=0, cols=len(head), style="Light Grid Accent 1")
                for row in (head, *rows):
                    for cell, text in zip(table.add_row().cells, row, strict=True):
                        cell.paragraphs[0].add_run(text).font.size = Pt(8)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _html(part: Part) -> str:
    match part:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text, link):
            anchor = f' <a href="{html.escape(link)}">{html.escape(link)}</a>' if link else ""
            return f"<p>{html.escape(text)}{anchor}</p>"
        case Picture(png, caption):
            source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
            caption = html.escape(caption)
            return f'<figure><img alt="{caption}" src="{source}"><figcaption>{caption}</figcaption></figure>'
        case Table(head, rows):
            return f'<div class="wide">{html_table(head, rows)}</div>'
