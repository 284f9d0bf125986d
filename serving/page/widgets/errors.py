"""Errors as the page shows them: in words, what went wrong and what to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from experiments.inference.litert import ModelError
from experiments.registry.store import RegistryError
from serving.core.errors import Refused
from serving.services import Services
from serving.storage.records import StoreError


def page_error(message: str) -> gr.Error:
    """Return an error to raise: the page shows its text, and the log leaves it out."""
    return gr.Error(message, print_exception=False)


@contextmanager
def show_errors(services: Services, fault: str = "The request failed.") -> Iterator[None]:
    """Show people what goes wrong in the block: expected errors in their own words, anything else as `fault`, with the
    details in the log. Raises gr.Error."""
    try:
        yield
    except gr.Error:
        raise
    except (ModelError, Refused, RegistryError, StoreError) as error:
        raise page_error(str(error)) from None
    except Exception:
        logging.getLogger(__name__).exception(fault)
        services.metrics.add_problem("", 500, fault)
        raise page_error(f"{fault} The fault is on this side and has been logged; try again.") from None
