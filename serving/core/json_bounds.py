"""Bounds of JSON, checked before it is parsed: as objects a body takes many times the memory that its bytes do."""

import re
from itertools import accumulate

from serving.core.errors import Refused

MAX_DEPTH = 32
STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
LONE_SURROGATE = re.compile(rb"\\ud(?:[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..\\ud)[c-f])")
"""Half of a character, which breaks what else the text comes into."""
NOT_BRACKETS = bytes(set(range(256)) - set(STEPS))


def check_bounds(body: bytes, max_values: int, max_texts: int | None = None) -> None:
    """Raises Refused for JSON of more values or deeper nesting than anything has that is meant to be read here.
    max_texts: names and texts, if fewer than values.

    It need not be valid: whatever passes is cheap to parse, or to find invalid."""
    unescaped = body.replace(b"\\\\", b" ").replace(b'\\"', b" ")
    escapes = unescaped.lower() if b"\\u" in unescaped else b""
    quotes = unescaped.count(b'"')  # a name and its value have four
    if quotes > 4 * (max_texts or max_values) or escapes.count(b"\\ud") > max_values:
        raise _too_many(max_values)
    if not _is_text(body) or LONE_SURROGATE.search(escapes):
        raise Refused(400, "bad_json", "The body is not JSON in UTF-8.", "Send JSON in UTF-8.")
    outside = b"".join(unescaped.split(b'"')[::2])  # of strings
    if sum(map(outside.count, (b",", b"[", b"{"))) > max_values:
        raise _too_many(max_values)
    brackets = outside.translate(None, NOT_BRACKETS)
    if max(accumulate(map(STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise Refused(422, "wrong_shape", f"The JSON is nested more than {MAX_DEPTH} deep.", "Send a flatter one.")


def _is_text(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in body  # as in UTF-16, which Python parses as well


def _too_many(max_values: int) -> Refused:
    return Refused(422, "wrong_shape", f"The JSON has more than {max_values:,} values.", "Send less.")
