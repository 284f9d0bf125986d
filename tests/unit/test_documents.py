"""The documents: links that lead somewhere, commands that exist, journeys and settings that are those of the code."""

import importlib.util
import re
import shlex
import subprocess

import pytest

import experiments.__main__
import serving.__main__
from settings import ROOT, Settings, variable

README_LINES = 150
JOURNEYS = {"A drawing": 12, "An API call": 12, "A run": 20, "A correction": 25}  # files at most
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
TESTED_EXAMPLES = {"curl", "gradio_client", "http", "httpx", "javascript", "mcp"}  # by tests/browser/test_examples.py


def documents():
    patterns = ["*.md", ":!benchmarks", ":!experiments"]  # their results and the model card's template
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


DOCUMENTS = documents()
for_each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def anchors(path):
    """GitHub's names of the headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@for_each_document
def test_links_lead_to_files_and_headings(path):
    for link in LINK.findall(FENCE.sub("", path.read_text())):
        if link.startswith(("https://", "../../actions/")):  # the latter are pages of the repository on GitHub
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_leads_to_every_document():
    linked = {ROOT / link.partition("#")[0] for link in LINK.findall((ROOT / "README.md").read_text())}
    assert {path for path in DOCUMENTS if path.name != "README.md"} <= linked


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


@for_each_document
def test_commands_exist(path):
    text = path.read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|^|&& )make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
    for module in re.findall(r"python -m ([a-z_.]+[a-z])", text):
        assert importlib.util.find_spec(module), module
    for package, words in re.findall(r"python -m (experiments|serving)\b([^`#\n|]*)", text):
        parser = {"experiments": experiments.__main__, "serving": serving.__main__}[package]._parser()
        parser.parse_args(shlex.split(words))


def test_every_marked_example_is_tested():
    marked = {name for path in DOCUMENTS for name in re.findall(r"<!-- example: (\w+) -->", path.read_text())}
    assert marked == TESTED_EXAMPLES


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize(("title", "most"), JOURNEYS.items())
def test_a_journey_is_short_and_its_files_exist(title, most):
    (journey,) = re.findall(rf"^### {title}$(.*?)^##", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    files = re.findall(r"^\d+\. `([^`]+)`: ", journey, re.MULTILINE)
    assert 0 < len(files) <= most
    assert len(files) == len(set(files)) == len(re.findall(r"`[\w/.]+\.py`", journey))
    assert [name for name in files if not (ROOT / name).is_file()] == []


def test_readme_and_architecture_name_every_wing():
    wings = {path.parent for package in ("experiments", "serving") for path in (ROOT / package).glob("*/__init__.py")}
    assert wings
    readme = (ROOT / "README.md").read_text()
    assert [wing for wing in wings if f"\n    {wing.name}/ " not in readme] == []
    assert [wing for wing in wings if f"`{wing.relative_to(ROOT)}/`" not in ARCHITECTURE] == []
    assert [name for name in re.findall(r"`([\w/]+\.py)`", ARCHITECTURE) if not (ROOT / name).is_file()] == []


def test_the_table_of_errors_is_that_of_the_code():
    source = "".join(path.read_text() for path in (ROOT / "serving").rglob("*.py"))
    raised = set(re.findall(r'\b([45]\d\d)(?:, |: \()"([a-z_]+)", ', source))
    rows = re.findall(r"^\| (\d{3}) \| .* \| (`.*`) \|$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE)
    assert {(status, code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)} == raised


def variables():
    """Each setting by its name in the environment."""
    return [(variable(name), field) for name, field in Settings.model_fields.items()]


@for_each_document
def test_settings_are_called_by_their_names(path):
    assert set(re.findall(r"\bDEMO_[A-Z_]+\b", path.read_text())) <= {name for name, _ in variables()}


def default(field):
    value = field.get_default()
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else str("" if value is None else value)
    return f"`{text.replace(f'{ROOT}/', '')}`" if text else ""


def test_the_table_of_settings_is_that_of_the_code():
    rows = [f"| `{name}` | {default(field)} | {field.description} |" for name, field in variables()]
    expected = "\n".join(("| variable | default | what it sets |", "| --- | --- | --- |", *rows))
    text = (ROOT / "docs" / "operations.md").read_text()
    table = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", text, re.DOTALL)
    assert table[1] == expected
