import json
from contextlib import nullcontext, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.core.json_bounds import MAX_DEPTH, check_bounds

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text('a"\\[]{},é\n'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('a"\\[{,'), inner),
)


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(depth, inner), default=0) + isinstance(value, dict | list)


def count(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(count, inner))


@given(VALUES, st.booleans())
def test_what_is_within_the_bounds_passes_whatever_its_strings_hold(value, ascii_only):
    if depth(value) <= MAX_DEPTH:
        check_bounds(json.dumps(value, ensure_ascii=ascii_only).encode(), 2 * count(value))


@given(VALUES)
def test_what_passes_has_no_more_values_than_that(value):
    if count(value) > 2 * 5 + 1:
        with pytest.raises(Refused):
            check_bounds(json.dumps(value).encode(), 5)


PIECES = st.lists(st.sampled_from(["\ud83d", "\ude00", "\U0001f600", "a", "\\", '"', "u", "d8"])).map("".join)


@given(PIECES, st.booleans())
def test_half_a_character_is_refused_however_it_is_written(text, escaped):
    body = json.dumps(text, ensure_ascii=escaped).encode(errors="surrogatepass")
    with nullcontext() if is_encodable(json.loads(body)) else pytest.raises(Refused, match="UTF-8"):
        check_bounds(body, 1000)


def is_encodable(text):
    try:
        return text.encode() is not None
    except UnicodeEncodeError:
        return False


@given(st.binary())
def test_any_bytes_pass_or_are_refused(body):
    with suppress(Refused):
        check_bounds(body, 3)


@pytest.mark.parametrize("body", [b"[" * 33, b'{"a":' * 33, b'{"data":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"])
def test_deep_nesting_is_refused(body):
    with pytest.raises(Refused, match=r"nested|values"):
        check_bounds(body, 1000)


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"1," * 1001 + b"1]",
        b"{" + b'"a":1,' * 1001 + b"}",
        b"[" + b"[]," * 1001 + b"[]]",
        b'[""' + b',""' * 1001 + b"]",
        b'["\\\\"' + b',"\\\\"' * 1001 + b"]",
        b'"' * 5000,
    ],
)
def test_too_many_values_are_refused(body):
    with pytest.raises(Refused, match="more than 1,000 values"):
        check_bounds(body, 1000)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_an_encoding_in_which_values_could_hide_is_refused(encoding):
    hidden = json.dumps(["\\", *[[]] * 5000]).encode(encoding)
    assert json.loads(hidden)
    with pytest.raises(Refused, match="UTF-8"):
        check_bounds(hidden, 1000)
