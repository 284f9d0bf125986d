"""The tools of language models behind nginx, with one page as all three replicas."""

import asyncio
import base64
import json
import shutil
from urllib.parse import urlsplit

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from benchmarks.processes import free_ports
from benchmarks.proxy import Nginx
from settings import ROOT
from tests.helpers.demo_process import DemoProcess

SEVEN = base64.b64encode((ROOT / "docs" / "seven.png").read_bytes()).decode()


@pytest.fixture
def url():
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed (Debian: apt install nginx-light)")
    demo = DemoProcess("--mcp", DEMO_TRUSTED_PROXIES="127.0.0.1")
    (port,) = free_ports(1)
    nginx = Nginx(port, [urlsplit(demo.url).port] * 3)
    yield nginx.url
    nginx.stop()
    assert demo.stop().endswith("Stopped.\nexit status 0\n")


def test_every_call_is_answered_at_any_replica(url):
    async def ask():
        async with (
            streamable_http_client(f"{url}/gradio_api/mcp") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return [await session.call_tool("read_drawing", {"picture": SEVEN}) for _ in range(5)]

    answers = asyncio.run(ask())
    assert [json.loads(answer.content[0].text)["label"] for answer in answers] == ["7"] * 5
