import io
import re

from docx import Document

from experiments.insights.document import Heading, Paragraph, Picture, Table, as_docx, as_html
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
