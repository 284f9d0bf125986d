import io
import re

from docx import Document

from experiments.insights.document import (
    PAGE_WIDTH,
    SIZES,
    Bullets,
    Heading,
    Paragraph,
    Picture,
    Table,
    as_docx,
    as_html,
    column_widths,
)
from experiments.insights.plots import contact_sheet, png

PARTS = [
    Heading("What <came> of it"),
    Paragraph("Code:", "https://example.org/?a=1&b=2"),
    Table(("run", "accuracy"), (("baseline", "97.20"), ("<wide>", "99.61"))),
    Picture(png(contact_sheet("None", [])), 'A "picture"'),
]


def test_the_page_needs_no_other_file_and_shows_text_as_text():
    page = as_html("The <report>", PARTS)
    assert "<h1>The &lt;report&gt;</h1>" in page
    assert "<h2>What &lt;came&gt; of it</h2>" in page
    assert "<td>&lt;wide&gt;</td><td>99.61</td>" in page
    assert 'alt="A &quot;picture&quot;"' in page
    assert re.findall(r'(?:src|href)="(?!data:)([^"]*)', page) == ["https://example.org/?a=1&amp;b=2"]


def test_the_word_file_holds_the_same():
    document = Document(io.BytesIO(as_docx("The report", PARTS)))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[:2] == ["The report", "What <came> of it"]
    assert 'A "picture"' in texts
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["run", "accuracy"], ["baseline", "97.20"], ["<wide>", "99.61"],
    ]  # fmt: skip
    assert len(document.inline_shapes) == 1


def test_no_word_of_a_table_is_broken_and_it_fits_the_page():
    head = ("run", "accuracy, %", "calibration error, %", "parameters", "why it was tried", "version")
    why = "Verify whether a more complex model learns better, with more filters and dropout."
    table = Table(head, (("architecture", "99.27", "0.72", "301,483", why, "shipped"),))
    size, widths = column_widths(table)
    assert sum(widths) <= PAGE_WIDTH + 1e-9
    for column, width in zip(zip(head, *table.rows, strict=True), widths, strict=True):
        longest = max(len(word) for text in column for word in text.split())
        assert longest * size * 0.5 / 72 < width
    assert widths[4] == max(widths)


def test_a_table_that_can_t_fit_takes_the_smallest_text():
    size, _ = column_widths(Table(("x" * 30,) * 9, ()))
    assert size == min(SIZES)


def test_pages_are_a4_numbered_and_the_head_of_a_table_is_on_each():
    document = Document(io.BytesIO(as_docx("The report", [*PARTS, Bullets(("one", "other"))])))
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert "PAGE" in section.footer._element.xml
    assert document.tables[0].rows[0]._tr.xpath("./w:trPr/w:tblHeader")
    assert [paragraph.text for paragraph in document.paragraphs if paragraph.style.name == "List Bullet"] == [
        "one", "other",
    ]  # fmt: skip
