"""Errors as the page shows them: in words, what went wrong and what to do."""

import html
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from experiments.inference.litert import ModelError
from experiments.registry.store import RegistryError
from serving.core.errors import Refused, from_os_error
from serving.services import Services
from serving.storage.records import StoreError

SHOWN = 300  # characters of a message: Gradio's own quote whole values, and it keeps what is not fetched


def page_error(message: str) -> gr.Error:
    """Return an error to raise: the page shows its text, cut if it is long, and the log leaves it out."""
    text = message if len(message) <= SHOWN else f"{message[:SHOWN]}..."
    shown = html.escape(text, quote=False)  # the page takes it for HTML, and it may name a file
    return gr.Error(shown.encode(errors="replace").decode(), print_exception=False)


@contextmanager
def show_errors(
    services: Services, fault: str = "The request failed.", passing: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Show people what goes wrong in the block: expected errors in their own words, anything else as `fault`, with the
    details in the log. Raises gr.Error. passing: errors that the caller shows itself."""
    try:
        yield
    except passing:
        raise
    except gr.Error as error:  # Gradio's own have the log show a traceback
        raise page_error(html.unescape(str(error.message))) from None
    except (ModelError, Refused, RegistryError, StoreError) as error:
        raise page_error(str(error)) from None
    except Exception as error:
        if isinstance(error, OSError) and (refused := from_os_error(error)):
            raise page_error(str(refused)) from None
        logging.getLogger(__name__).exception(fault)
        services.metrics.add_problem("", 500, fault)
        raise page_error(f"{fault} The fault is on this side and has been logged; try again.") from None
