"""Language models, that is MCP's own client, at a page that gives them tools."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from pydantic import SecretStr

ASK = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def url(served, classifier, settings, photo_classifier):
    return served(classifier, settings.model_copy(update={"mcp": True}), photo_classifier)


@asynccontextmanager
async def session_at(url):
    async with (
        streamable_http_client(f"{url}gradio_api/mcp") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        yield session


def call(url, tool, picture):
    """Return what a tool says, and whether that is an error."""

    async def ask():
        async with session_at(url) as session:
            answer = await session.call_tool(tool, {"picture": picture})
            return answer.content[0].text, answer.isError

    return asyncio.run(ask())


def test_there_are_two_tools_and_nothing_else(url):
    async def ask():
        async with session_at(url) as session:
            return await session.list_tools(), session.get_server_capabilities()

    listed, capabilities = asyncio.run(ask())
    tools = {tool.name: tool for tool in listed.tools}
    assert set(tools) == {"read_drawing", "read_photo"}
    assert (capabilities.resources, capabilities.prompts) == (None, None)
    for tool in tools.values():
        assert 'tell people when the verdict is not "sure"' in " ".join(tool.description.lower().split())
        (picture,) = tool.inputSchema["properties"].values()
        assert (picture["type"], "base64" in picture["description"]) == ("string", True)


def test_tools_answer_like_the_api(url, seven_png, photo_png):
    for tool, dataset, picture in (("read_drawing", "mnist", seven_png), ("read_photo", "cifar10", photo_png)):
        expected = httpx.post(f"{url}api/predict?dataset={dataset}", content=picture).json()
        text, is_error = call(url, tool, base64.b64encode(picture).decode())
        answer = json.loads(text)
        assert not is_error
        assert {name: answer[name] for name in expected.keys() - {"id", "milliseconds"}} == {
            name: expected[name] for name in expected.keys() - {"id", "milliseconds"}
        }


def test_a_picture_is_a_data_url_or_an_upload_too(url, seven_png):
    data_url = f"data:image/png;base64,{base64.b64encode(seven_png).decode()}"
    (uploaded,) = httpx.post(f"{url}gradio_api/upload", files={"files": ("7.png", seven_png)}).json()
    for picture in (data_url, uploaded):
        text, is_error = call(url, "read_drawing", picture)
        assert (is_error, json.loads(text)["label"]) == (False, "7")


def test_what_is_no_picture_is_refused_in_words(url):
    for picture, words in {
        "https://example.com/7.png": "nothing is fetched from there",
        "seven.png": "the name of a file, not its content",
        "": "The picture is empty.",
        "?": "The image is not base64.",
    }.items():
        text, is_error = call(url, "read_drawing", picture)
        assert is_error
        assert words in text
        assert not text.startswith("'")


def test_without_a_model_a_tool_says_so(served, classifier, settings, photo_png):
    alone = served(classifier, settings.model_copy(update={"mcp": True}))
    text, is_error = call(alone, "read_photo", base64.b64encode(photo_png).decode())
    assert is_error
    assert "model" in text


def test_they_are_off_by_default(served, classifier, settings):
    assert httpx.post(f"{served(classifier, settings)}gradio_api/mcp", json=ASK, headers=ACCEPT).status_code == 404


def test_a_login_guards_them(served, classifier, settings):
    login = {"username": "ann", "password": SecretStr("secret"), "mcp": True}
    address = f"{served(classifier, settings.model_copy(update=login))}gradio_api/mcp"
    assert httpx.post(address, json=ASK, headers=ACCEPT).status_code == 401
    answer = httpx.post(address, json=ASK, headers=ACCEPT, auth=("ann", "secret"))
    assert (answer.status_code, "read_drawing" in answer.text) == (200, True)


def test_they_count_by_the_rates(served, classifier, settings):
    few = settings.model_copy(update={"mcp": True, "rate_limit_page": "3/minute"})
    address = f"{served(classifier, few)}gradio_api/mcp/"
    assert [httpx.post(address, json=ASK, headers=ACCEPT).status_code for _ in range(4)] == [200, 200, 200, 429]


@pytest.mark.parametrize("way", ["", "/", "/sse", "/messages/", "/schema"])
def test_a_call_is_all_that_can_be_sent(url, way):
    for method in ("GET", "DELETE", *["POST"] * (len(way) > 1)):
        assert httpx.request(method, f"{url}gradio_api/mcp{way}", headers=ACCEPT).status_code in (404, 405)


@pytest.mark.parametrize(
    ("method", "params"), [("resources/read", {"uri": "file:///etc/passwd"}), ("prompts/get", {"name": "read_drawing"})]
)
def test_nothing_connects_to_the_host_that_a_request_names(url, method, params):
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = httpx.post(f"{url}gradio_api/mcp", json=request, headers=ACCEPT | {"Host": "localhost:1"})
    assert "Method not found" in answer.text
