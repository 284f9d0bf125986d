"""Who is the operator of a page for this machine alone that a bare nginx, or a tunnel, brings to others."""

import json
import os
import shutil
import uuid

import httpx
import pytest

from benchmarks.processes import Server, free_ports
from serving.api.app import ROUTERS
from serving.api.deps import check_operator
from serving.page.page import OPERATOR_TABS
from tests.helpers.demo_process import DemoProcess
from tests.helpers.tunnel import Tunnel

BARE_NGINX = """
events {{}}
http {{
    access_log off;
    server {{
        listen 127.0.0.1:{listen};
        location / {{ proxy_pass http://127.0.0.1:{page}; }}
    }}
}}
"""
FORGED = (
    {},
    {"Host": "localhost"},
    {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1;host=localhost"},
    {"X-Forwarded-Host": "localhost", "X-Forwarded-User": "operator", "Via": "1.1 localhost"},
    {"Cookie": "operator=1; operator-000000000000=operator.0.0", "Authorization": "Bearer", "X-API-Key": ""},
)
ROUTES = [
    (method, route.path)
    for router in ROUTERS
    for route in router.routes
    if any(dependency.call is check_operator for dependency in route.dependant.dependencies)
    for method in route.methods
]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="module")
def demo(log):
    log_settings = {"DEMO_LOG_FILE": str(log), "DEMO_LOG_JSON": "true", "DEMO_LOG_LEVEL": "DEBUG"}
    demo = DemoProcess(DEMO_RATE_LIMIT_LOGIN="6000/minute", **log_settings)
    yield demo
    assert "Traceback" not in demo.stop()


@pytest.fixture(scope="module", params=["nginx", "tunnel"])
def address(request, demo, tmp_path_factory):
    """The page's address for others."""
    page = int(demo.url.rstrip("/").rpartition(":")[2])
    if request.param == "tunnel":
        tunnel = Tunnel(page)
        yield f"http://127.0.0.1:{tunnel.port}"
        tunnel.stop()
        return
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed (Debian: apt install nginx-light)")
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "nginx.conf").write_text(BARE_NGINX.format(listen=port, page=page))
    options = f"daemon off; error_log stderr; pid {folder}/pid; {'user root;' if os.getuid() == 0 else ''}"
    command = ["nginx", "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-g", options]
    server = Server(command, f"http://127.0.0.1:{port}/api/health")
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def visitor(address):
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        yield client


def ask(client, method, path, headers=None):
    body = {"json": {}} if method == "POST" else {}
    return client.request(method, path, headers=headers, **body)


def operator_events(config):
    """The events of the page that fill something in a tab of the operator's."""
    tabs = {part["id"] for part in config["components"] if part["props"].get("label") in OPERATOR_TABS}
    inside = set()
    unvisited = [(node, False) for node in config["layout"]["children"]]
    while unvisited:
        node, is_inside = unvisited.pop()
        if is_inside:
            inside.add(node["id"])
        unvisited += [(child, is_inside or node["id"] in tabs) for child in node.get("children") or []]
    return [
        event for event in config["dependencies"]
        if event["backend_fn"] and inside.issuperset(event["outputs"]) and event["outputs"]
    ]  # fmt: skip


def post_event(client, config, event, headers):
    """What an event answers: its outputs, or its error."""
    values = {part["id"]: part["props"].get("value") for part in config["components"]}
    states = {part["id"] for part in config["components"] if part["type"] == "state"}
    data = [None if each in states else values[each] for each in event["inputs"]]
    session = uuid.uuid4().hex
    body = {"data": data, "fn_index": event["id"], "session_hash": session}
    client.post("/gradio_api/queue/join", json=body, headers=headers).raise_for_status()
    stream = client.get("/gradio_api/queue/data", params={"session_hash": session}, headers=headers)
    messages = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: ")]
    (output,) = (message["output"] for message in messages if message["msg"] == "process_completed")
    return output.get("error") or output["data"]


def is_refused(answer):
    return "This is the operator's." in str(answer) or answer == [""]


def test_every_route_of_the_operators_is_closed(visitor):
    assert len(ROUTES) >= 11
    for method, path in ROUTES:
        for headers in FORGED:
            assert ask(visitor, method, path, headers).status_code == 401, (path, headers)


def test_every_event_of_the_operators_is_closed(visitor):
    config = visitor.get("/config").json()
    events = operator_events(config)
    assert len(events) >= 20
    for event in events:
        answer = post_event(visitor, config, event, FORGED[1] | FORGED[2] | FORGED[3] | FORGED[4])
        assert is_refused(answer), (event["targets"], answer)


def test_the_link_opens_them(visitor, demo):
    config = visitor.get("/config").json()
    assert visitor.get("/operator", params={"key": f"{demo.operator_key}x"}).status_code == 401
    assert ask(visitor, "GET", "/api/history").status_code == 401
    reply = visitor.get("/operator", params={"key": demo.operator_key})
    assert (reply.status_code, reply.headers["location"]) == (303, "./")
    for method, path in ROUTES:
        assert ask(visitor, method, path).status_code not in (401, 403), path
    for event in operator_events(config):
        assert "operator's" not in str(post_event(visitor, config, event, {})), event["targets"]


def test_the_key_opens_them_as_bearer(visitor, demo):
    for method, path in ROUTES:
        headers = {"Authorization": f"Bearer {demo.operator_key}"}
        assert ask(visitor, method, path, headers).status_code not in (401, 403), path


def test_the_key_is_printed_once_and_never_logged(demo, log, visitor):
    key = demo.operator_key
    visitor.get("/operator", params={"key": key})
    visitor.get("/nothing", params={"key": key})
    visitor.get("/api/history", params={"limit": key}, headers={"X-API-Key": key})
    visitor.get("/api/stats")  # in the log, by its path alone
    assert demo.printed().count(key) == 1
    assert "/api/stats" in log.read_text()
    assert key not in log.read_text()
