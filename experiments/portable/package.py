"""Copy the code that a model takes with it: a package of its own name, since another `experiments` may be there."""

import ast
import functools
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

EXPERIMENTS = Path(__file__).parents[1]
ENTRY = "portable.reader"
"""The module that MLflow loads, within the package."""
NAME = "picture_reader"


@functools.cache
def sources() -> dict[str, str]:
    """The files of the package by name: ENTRY and all that it imports of the project, directly or not, with imports
    that are relative to the package."""
    found: dict[str, str] = {}
    waiting = _with_parents(ENTRY)
    while waiting:
        path = _file(waiting.pop())
        name = path.relative_to(EXPERIMENTS).as_posix()
        if name not in found:
            found[name] = path.read_text()
            waiting += _imports(found[name])
    return {name: _relative(text, name.count("/")) for name, text in sorted(found.items())}


def name_of(files: dict[str, str]) -> str:
    """The package's name. It depends on its code, so that models of different code can be loaded by one process."""
    return f"{NAME}_{hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()[:8]}"


def write(files: dict[str, str], folder: Path) -> Path:
    """Write the package into a folder. Returns its own folder there."""
    package = folder / name_of(files)
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return package


def _imports(text: str) -> Iterator[str]:
    """The project's modules that a file imports at run time, with the packages around them."""
    nodes: list[ast.AST] = [ast.parse(text)]
    for node in nodes:  # which grows
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == EXPERIMENTS.name:
            module = (node.module or "").partition(".")[2]
            yield from _with_parents(module)
            names = (f"{module}.{alias.name}".strip(".") for alias in node.names)
            yield from (name for name in names if _file(name).exists())
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            nodes.extend(ast.iter_child_nodes(node))


def _with_parents(module: str) -> list[str]:
    """A module and the packages around it, the outermost, "", first."""
    parts = module.split(".")
    return ["", *(".".join(parts[: count + 1]) for count in range(len(parts) if module else 0))]


def _file(module: str) -> Path:
    path = EXPERIMENTS / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _relative(text: str, depth: int) -> str:
    """Replace the project's package in imports by dots. depth: of the file's folder below the package."""
    dots = "." * (depth + 1)
    return re.sub(rf"^(\s*from ){EXPERIMENTS.name}(?:\.|(?= ))", rf"\g<1>{dots}", text, flags=re.MULTILINE)
