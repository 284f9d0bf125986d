"""A tab's events, posted as anybody can post them: straight to Gradio's queue."""

import json
import urllib.request
import uuid

import httpx

from tests.helpers.page_config import in_english


def trigger(url, target_id, event, data, output_id=None, session=None, key=""):
    """Run the event of the component `target_id` (None: any) in the page at `url`, the one that fills `output_id` if
    there are several. Return its output. session: an earlier visitor's; key: the operator's. Raises PermissionError."""
    number = next(
        dependency["id"]
        for dependency in _config(url)["dependencies"]
        if output_id in (None, *dependency["outputs"])
        and any(name == event and target_id in (None, target) for target, name in dependency["targets"])
    )
    session = session or uuid.uuid4().hex
    body = json.dumps({"data": data, "fn_index": number, "session_hash": session}).encode()
    request = urllib.request.Request(
        f"{url}gradio_api/queue/join", body, {"Content-Type": "application/json", "X-API-Key": key}
    )
    with urllib.request.urlopen(request):
        pass
    with urllib.request.urlopen(f"{url}gradio_api/queue/data?session_hash={session}") as stream:
        for line in stream:
            message = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
            if message.get("msg") == "process_completed":
                if not message["success"]:
                    raise PermissionError(message["output"]["error"])
                return message["output"]["data"]
    raise AssertionError("the event never ended")


def component_id(url, kind, **properties):
    """Return the id of the page's component of this kind with these properties."""
    return next(
        component["id"]
        for component in _config(url)["components"]
        if component["type"] == kind
        and all(component["props"].get(name) == value for name, value in properties.items())
    )


def upload(url, name, content):
    """Puts a file on the page; gives it as events take it."""
    (path,) = httpx.post(f"{url}gradio_api/upload", files={"files": (name, content)}).json()
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def _config(url):
    with urllib.request.urlopen(f"{url}config") as response:
        return in_english(json.load(response))
