"""Documents as lists of parts, written as one self-contained HTML page or as a Word file."""

import base64
import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Mm, Pt, RGBColor
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph as WordParagraph

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
PAGE, MARGIN = (Mm(210), Mm(297)), Mm(20)
PAGE_WIDTH = 6.69  # inches between the margins
FONT, ACCENT, HEAD_FILL = "Arial", RGBColor(0x37, 0x30, 0xA3), "E0E7FF"
SIZES = (9.5, 9.0, 8.5, 8.0, 7.5, 7.0)  # pt of a table's text, the largest at which no word is broken
CHARACTER = 0.56  # of the size: how wide a character is
PADDING = 0.17  # inches left and right of a cell's text
LONGEST = 46  # characters that a column is made wide for
NUMBER = re.compile(r"[★+-]?[\d.,]+( ?[%×])?|–|")


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
class Bullets:
    """A list of texts."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A row of headings and rows of as many texts."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A PNG and what it shows. width: inches in print."""

    png: bytes
    caption: str
    width: float = PAGE_WIDTH


Part = Heading | Paragraph | Bullets | Table | Picture


def as_html(title: str, parts: Sequence[Part]) -> str:
    """One self-contained page."""
    body = "\n".join(_html(part) for part in parts)
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    )
    page = f"<h1>{html.escape(title)}</h1>\n{body}"
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n<body>{page}\n</body></html>\n'


def as_docx(title: str, parts: Sequence[Part]) -> bytes:
    """A Word file: A4, with numbered pages."""
    document = Document()
    _set_up(document)
    document.add_heading(title, 0)
    for part in parts:
        match part:
            case Heading(text, level):
                document.add_heading(text, level - 1)
            case Paragraph(text, link):
                document.add_paragraph(f"{text} {link}".strip())
            case Bullets(texts):
                for text in texts:
                    document.add_paragraph(text, style="List Bullet")
            case Picture(png, caption, width):
                document.add_picture(io.BytesIO(png), width=Inches(min(width, PAGE_WIDTH)))
                document.paragraphs[-1].paragraph_format.keep_with_next = True
                document.add_paragraph(caption, style="Caption")
            case Table():
                _add_table(document, part)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def column_widths(table: Table) -> tuple[float, list[float]]:
    """The size of a table's text in pt, and its columns' widths in inches: no word is broken where that can be, and
    what room is left goes to the columns with the longest texts."""
    columns = list(zip(table.head, *table.rows, strict=True))
    words = [max(len(word) for text in column for word in text.split() or [""]) for column in columns]
    texts = [min(max(map(len, column)), LONGEST) for column in columns]
    for size in SIZES:
        character = size * CHARACTER / 72
        needed = [word * character + PADDING for word in words]
        if sum(needed) <= PAGE_WIDTH:
            break
    wanted = [max(text * character + PADDING - need, 0.0) for text, need in zip(texts, needed, strict=True)]
    room = max(PAGE_WIDTH - sum(needed), 0.0)
    share = min(room / sum(wanted), 1.0) if sum(wanted) else 0.0
    return size, [need + share * want for need, want in zip(needed, wanted, strict=True)]


def _set_up(document: WordDocument) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = PAGE
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = MARGIN
    styles = document.styles
    for name, size, before, after in (
        ("Normal", 10, 0, 6), ("Title", 24, 0, 10), ("Heading 1", 16, 16, 6), ("Heading 2", 12, 10, 3),
        ("Caption", 9, 2, 10), ("List Bullet", 10, 0, 3),
    ):  # fmt: skip
        style = styles[name]
        style.font.name, style.font.size = FONT, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):  # which would win over the name
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
        if name.startswith(("Title", "Heading")):
            style.font.color.rgb = ACCENT
    styles["Caption"].font.color.rgb = RGBColor(0x47, 0x55, 0x69)
    footer = section.footer.paragraphs[0]
    footer.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _add_page_number(footer)


def _add_page_number(paragraph: WordParagraph) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)  # noqa: SLF001 python-docx has no fields of its own


def _add_table(document: WordDocument, part: Table) -> None:
    """A table whose head is repeated on each page that it reaches, and whose rows stay whole."""
    size, widths = column_widths(part)
    table = document.add_table(rows=0, cols=len(part.head), style="Table Grid")
    table.autofit, table.alignment = False, WD_TABLE_ALIGNMENT.LEFT
    are_numbers = [all(NUMBER.fullmatch(text) for text in column) for column in zip(*part.rows, strict=True)]
    for column, width in zip(table.columns, widths, strict=True):  # LibreOffice reads these, Word those of the cells
        column.width = Inches(width)
    for place, row in enumerate((part.head, *part.rows)):
        _add_row(table, row, size, widths, are_numbers, is_head=place == 0)
    document.add_paragraph().paragraph_format.space_after = Pt(2)


def _add_row(
    table: WordTable, texts: Sequence[str], size: float, widths: Sequence[float], numbers: Sequence[bool], is_head: bool
) -> None:
    row = table.add_row()  # type: ignore[no-untyped-call]
    properties = row._tr.get_or_add_trPr()  # noqa: SLF001 likewise of what follows
    properties.append(OxmlElement("w:cantSplit"))
    if is_head:
        properties.append(OxmlElement("w:tblHeader"))
    for cell, text, width, is_number in zip(row.cells, texts, widths, numbers or [False] * len(texts), strict=True):
        cell.width = Inches(width)
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.space_after = Pt(1)
        paragraph.paragraph_format.keep_with_next = is_head
        if is_number:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        run = paragraph.add_run(text)
        run.font.size, run.bold = Pt(size), is_head
        if is_head:
            fill = OxmlElement("w:shd")
            fill.set(qn("w:val"), "clear")
            fill.set(qn("w:fill"), HEAD_FILL)
            cell._tc.get_or_add_tcPr().append(fill)  # noqa: SLF001


def _html(part: Part) -> str:
    match part:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text, link):
            anchor = f' <a href="{html.escape(link)}">{html.escape(link)}</a>' if link else ""
            return f"<p>{html.escape(text)}{anchor}</p>"
        case Bullets(texts):
            return f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>"
        case Picture(png, caption):
            source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
            caption = html.escape(caption)
            return f'<figure><img alt="{caption}" src="{source}"><figcaption>{caption}</figcaption></figure>'
        case Table(head, rows):
            return f'<div class="wide">{html_table(head, rows)}</div>'
