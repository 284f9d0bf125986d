"""The variables of the process's environment that are meant for other programs, and would change this one."""

import os
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from urllib.parse import urlsplit

GRADIO_VARIABLES = ("GRADIO_TEMP_DIR", "GRADIO_ROOT_PATH")
"""Those that are ours too; all else about the page is a setting of its own."""
OTHER_VARIABLES = ("MATPLOTLIBRC", "MPLBACKEND", "PYTHONINSPECT", "PYTHONSAFEPATH", "PYTHONWARNINGS")
"""Matplotlib's, which Gradio imports for each event: a backend that is not installed would fail them all. And Python's,
under which the processes that this one starts would not find their modules, or end in warnings, or not at all."""
CLIENT_VARIABLES = (
    "all_proxy", "http_proxy", "https_proxy", "no_proxy", "ssl_cert_dir", "ssl_cert_file", "sslkeylogfile",
)  # fmt: skip
"""In lower case."""


def drop_foreign_variables(environment: MutableMapping[str, str] = os.environ) -> None:
    """Drop what other pages of Gradio and other programs in Python are set up by, before Gradio and the processes that
    this one starts read it: much of it would end a start."""
    foreign = [name for name in environment if name.startswith("GRADIO_") and name not in GRADIO_VARIABLES]
    for name in (*foreign, *OTHER_VARIABLES):
        environment.pop(name, None)


@contextmanager
def without_client_variables(environment: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Hide proxies and certificates from what is imported in the block. Gradio makes a client as it is imported, which
    fails for some that others understand, and which the page never uses; MLflow goes on using them."""
    hidden = {name: value for name, value in environment.items() if name.lower() in CLIENT_VARIABLES}
    for name in hidden:
        del environment[name]
    try:
        yield
    finally:
        environment.update(hidden)


@contextmanager
def without_package(name: str, hidden: bool = True) -> Iterator[None]:
    """Hide a package from what is imported in the block, as if it were not installed: Gradio imports `mcp` wherever it
    is, which takes half a second."""
    if not hidden:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # as the import system documents it
    try:
        yield
    finally:
        del sys.modules[name]


def root_path(environment: MutableMapping[str, str] = os.environ) -> str:
    """The path under which a proxy shows the page, with a slash at its beginning and none at its end; empty: none."""
    try:
        path = urlsplit(environment.get("GRADIO_ROOT_PATH", "").strip()).path.strip("/")
    except ValueError:  # no URL at all
        return ""
    return f"/{path}" if path and path.isprintable() and " " not in path else ""
