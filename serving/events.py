"""How the page's own events are bound: they are no part of Gradio's API."""

from typing import Any

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET = PRIVATE | {"show_progress": "hidden"}
