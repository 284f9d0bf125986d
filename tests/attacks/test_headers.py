"""What browsers are told by every answer, whatever was asked and however it ends."""

import pytest

from tests.helpers.raw_http import exchange

ASKED = (
    ("GET", "/"), ("GET", "/config"), ("GET", "/docs"), ("GET", "/api/health"), ("GET", "/api/history"),
    ("GET", "/nowhere"), ("GET", "/gradio_api/file=/etc/passwd"), ("GET", "/gradio_api/token"), ("PUT", "/"),
    ("GET", "/theme.css"), ("POST", "/api/predict"), ("POST", "/login"), ("DELETE", "/api/feedback"),
    ("POST", "/gradio_api/queue/join"), ("GET", "/static/../x"), ("OPTIONS", "/config"), ("TRACE", "/"),
)  # fmt: skip
SENT = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "10.0.0.1"}


@pytest.mark.parametrize("headers", [{}, SENT, {"Origin": "https://evil.example"}], ids=["own", "forwarded", "foreign"])
def test_no_answer_leaves_without_what_browsers_have_to_know(attack, headers):
    """Every answer forbids framing by others, guessing of its kind, and scripts of others."""
    for method, path in ASKED:
        reply = exchange(attack, method, path, headers)
        assert reply.headers["x-content-type-options"] == "nosniff", (method, path)
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "*" not in policy
        assert {"referrer-policy", "permissions-policy", "cross-origin-resource-policy"} <= set(reply.headers)
        assert "strict-transport-security" not in reply.headers  # nobody here may say that TLS was used
        assert b"evil.example" not in reply.body


def test_no_answer_is_split_or_shaped_by_what_was_sent(attack):
    """Nothing that a request holds becomes a header of its answer, or markup of the page."""
    for path in ("/?x=%0d%0aSet-Cookie:%20a=b", "/login%0d%0aSet-Cookie:%20a=b", "/%3Cscript%3Ealert(1)%3C/script%3E"):
        reply = exchange(
            attack, "GET", path, {"X-Request-ID": "<script>alert(1)</script>", "User-Agent": "<script>alert(1)"}
        )
        assert "set-cookie" not in reply.headers or "a=b" not in reply.headers["set-cookie"]
        assert b"<script>alert(1)" not in reply.body
        assert "<script>" not in reply.headers["x-request-id"]
