import ast
import importlib
import importlib.metadata
import re
import sys

import pytest

from experiments.portable import package
from experiments.registry.models import REQUIREMENTS


def external(text):
    """The top modules that a file imports from elsewhere; imports within the package are relative."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


@pytest.fixture(scope="module")
def files():
    return package.sources()


def test_it_holds_what_its_entry_imports_and_nothing_that_trains_or_serves(files):
    assert {"__init__.py", "portable/__init__.py", "portable/reader.py", "numbers/paths.py"} <= files.keys()
    assert {name.split("/")[0] for name in files} == {
        *("__init__.py", "data", "inference", "numbers", "portable", "preprocessing"),
    }
    assert "data/datasets.py" not in files


def test_it_imports_nothing_of_the_project(files):
    modules = {module for text in files.values() for module in external(text)}
    assert not modules & {"experiments", "settings", "serving", "tensorflow", "keras", "gradio"}


def test_what_it_imports_is_what_the_model_requires(files):
    owners = importlib.metadata.packages_distributions()
    modules = {module for text in files.values() for module in external(text)} - set(sys.stdlib_module_names)
    needed = {re.sub("_", "-", owner).lower() for module in modules for owner in owners[module]}
    assert needed - {"mlflow", "mlflow-tracing"} == set(REQUIREMENTS)


def test_its_name_tells_its_code(files):
    changed = files | {"portable/reader.py": files["portable/reader.py"] + "\n"}
    assert package.name_of(files) == package.name_of(dict(reversed(files.items())))
    assert package.name_of(files) != package.name_of(changed)
    assert package.name_of(files).isidentifier()


def test_it_is_imported_as_a_package_of_its_own(files, tmp_path, monkeypatch):
    folder = package.write(files, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    reader = importlib.import_module(f"{folder.name}.{package.ENTRY}")
    loaded = {name for name in set(sys.modules) - before if name.startswith("experiments")}
    assert loaded == set()
    assert reader.PictureReader.__module__ == f"{folder.name}.portable.reader"
