"""The page comes compressed where the browser takes that, and is the same."""

import gzip

import httpx
import pytest


def ask(url, encodings):
    with httpx.stream("GET", url, headers={"Accept-Encoding": encodings}) as reply:
        return reply.headers, b"".join(reply.iter_raw())


def test_the_page_comes_compressed_and_is_the_same(url):
    plain_headers, plain = ask(url, "identity")
    headers, packed = ask(url, "gzip, deflate, br")
    assert "content-encoding" not in plain_headers
    assert (headers["content-encoding"], int(headers["content-length"])) == ("gzip", len(packed))
    assert "Accept-Encoding" in headers["vary"]
    assert len(packed) < len(plain) / 3
    assert gzip.decompress(packed).startswith(b"<!doctype html>")
    assert {name: headers.get(name) for name in ("content-security-policy", "x-content-type-options")} == {
        name: plain_headers.get(name) for name in ("content-security-policy", "x-content-type-options")
    }


@pytest.mark.parametrize("path", ["api/health", "gradio_api/info"])
def test_answers_to_programs_stay_as_they_are(url, path):
    headers, _ = ask(f"{url}{path}", "gzip")
    assert "content-encoding" not in headers
