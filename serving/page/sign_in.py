"""/operator: where the operator's key, or a ticket in its place, is given for a cookie. It works without scripts."""

import html
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.core.clients import client_of
from serving.core.errors import Refused
from serving.core.operator_key import COOKIE_SECONDS
from serving.services import Services

FORM = """<form method="post" action="operator">
<label for="key">Operator's key</label>
<input id="key" name="key" type="password" autocomplete="current-password" aria-describedby="where" required autofocus>
<p id="where" class="where">It is in the link that the program printed at its start, or what DEMO_OPERATOR_KEY sets.</p>
<button>Open the operator's tabs</button>
</form>"""
INTRODUCTION = "With the key, this browser shows the operator's tabs for 30 days."
NO_KEY = "This server has no operator's key: whoever logs in on the page is the operator."
WRONG_KEY = "This key is wrong."
WRONG_TICKET = "This link was used already, or is too old. Give the key instead."


async def sign_in(request: Request) -> Response:
    """Show the form, or take what was given and go on to the page."""
    services: Services = request.app.state.services
    key = services.access.credentials.key
    if not key.text:
        return _page(NO_KEY, form="")
    ticket, text = request.query_params.get("ticket"), await _given_key(request)
    if ticket is None and text is None:
        return _page(INTRODUCTION)
    try:
        if ticket is not None:
            is_right = key.redeem(ticket)
        else:
            is_right = await services.access.credentials.is_key(client_of(request.scope), text or "")
    except Refused as refused:
        return _page(str(refused), refused.status, refused.headers)
    if not is_right:
        return _page(WRONG_KEY if ticket is None else WRONG_TICKET, 401)
    answer = RedirectResponse("./", 303, {"Cache-Control": "no-store"})
    answer.set_cookie(key.cookie_name, key.new_cookie(), max_age=COOKIE_SECONDS, httponly=True, samesite="lax")
    return answer


async def _given_key(request: Request) -> str | None:
    if request.method == "GET":
        return request.query_params.get("key")
    fields = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)
    return fields.get("key", [""])[0]


def _page(message: str, status: int = 200, headers: dict[str, str] | None = None, form: str = FORM) -> Response:
    attributes = ' class="error" role="alert"' if status != 200 else ""
    paragraph = f"<p{attributes}>{html.escape(message, quote=False)}</p>"
    content = _template().substitute(message=paragraph, form=form)
    return HTMLResponse(content, status, {"Cache-Control": "no-store", **(headers or {})})


@cache
def _template() -> Template:
    return Template(Path(__file__).with_name("sign_in.html").read_text())
