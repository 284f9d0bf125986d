"""The picture in what programs send: its bytes, base64, a data URL, numbers, or JSON or fields with one of these."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from experiments.preprocessing.formats import SUFFIXES, format_of
from serving.api.numbers import MAX_NUMBERS, SMALLEST, Tensor, count_numbers, encode_numbers
from serving.core.errors import Refused
from serving.core.json_bounds import check_bounds

MAX_TEXTS = 4000  # names and texts of a JSON body
MAX_FIELDS = 100  # of a URL-encoded form
MAX_ESCAPES = 500_000  # percent signs or separators in a text: each keeps the interpreter busy
SHORT = 40  # characters, fewer than of any picture in base64
HEAD = 200  # characters, of a data URL before its data at most
BOM = b"\xef\xbb\xbf"
FIELD = re.compile(rb"[\w.%\[\]-]{1,64}=(?!=?\s*$)")  # and not the padding of base64
ROWS = re.compile(rb"-?\d[\d.eE+-]*(?:, ?|\r?\n)[\d.eE+, \r\n-]*")  # of numbers, as CSV
QUOTED = re.compile(r"""b?(["'])(.*)\1""", re.DOTALL)  # Python's b'...' among them
ADDRESS = re.compile(r"(?:https?|ftp|file|blob|s3|gs)://|//[\w-]", re.IGNORECASE)
NO_DATA = ("columns", "index", "shape", "parameters")
"""Names in the bodies of model servers, of lists that are no picture."""
HINT = 'Send {"image": ...}: a file in base64, or rows of numbers.'
SEND_ITSELF = "Send the picture itself: its bytes, or base64 of them."


def picture_in(content: bytes, *, may_be_fields: bool = True) -> bytes:
    """Return the encoded picture in a body, a field or a file: whatever its type says, the content decides. What is no
    picture once it is decoded is left to its decoder to refuse. Raises Refused. may_be_fields: URL-encoded ones."""
    if format_of(content):
        return content
    content = content.removeprefix(BOM).strip()
    if content[:1] in (b"{", b"[") or (content[:2] in (b'"{', b'"[')):
        return _picture_in_json(content)
    if content.count(b"\n") <= MAX_NUMBERS and ROWS.fullmatch(content):
        rows = (b"[%b]" % row.strip(b"\r, ") for row in content.split(b"\n"))
        return _picture_in_json(b"[%b]" % b",".join(rows))
    if may_be_fields and content.count(b"&") <= MAX_FIELDS and FIELD.match(content):
        values = (field.partition(b"=")[2] for field in content.split(b"&"))
        longest = _unquoted(max(values, key=len))  # a plus sign there is base64's
        return picture_in(longest, may_be_fields=False)
    return picture_in_text(content.decode(errors="replace"))


def picture_in_text(text: str) -> bytes:
    """Decode base64 as any library writes it: with or without padding, URL-safe, in lines, quoted, within a data URL
    or URL-encoded. Raises Refused."""
    text = text.strip()
    if quoted := QUOTED.fullmatch(text):
        text = quoted[2]
    if format_of(text[:HEAD].encode("latin-1", errors="replace")):
        return text.encode("latin-1", errors="replace")
    if text[:7].lower() == "data%3a":
        text = _unquoted(text).decode(errors="replace")
    head, comma, data = text.partition(",")
    if comma and len(head) < HEAD:
        if not head.lower().rstrip().endswith("base64"):
            return _without_base64(head, data, text)
        text = data
    try:
        return _from_base64(_unquoted(text).decode() if "%" in text else text)
    except (binascii.Error, ValueError):
        raise _not_base64(text) from None


def _without_base64(head: str, data: str, text: str) -> bytes:
    """The bytes of a data URL in percent encoding."""
    if head[:5].lower() != "data:":
        raise _not_base64(text)
    return _unquoted(data)


def _unquoted(text: str | bytes) -> bytes:
    if (text.count("%") if isinstance(text, str) else text.count(b"%")) > MAX_ESCAPES:
        message = f"More than {MAX_ESCAPES:,} characters of the picture are URL-encoded."
        raise Refused(413, "too_large", message, "Send the file's bytes as they are.")
    return unquote_to_bytes(text)


def _from_base64(text: str) -> bytes:
    """Raises ValueError."""
    content = text.encode("ascii").replace(b"\\r", b"").replace(b"\\n", b"\n")  # some write line ends out
    content = content.replace(b"\r", b"\n").replace(b"\t", b"\n")
    if content.count(b"\n") + content.count(b" ") > MAX_ESCAPES:
        raise ValueError
    content = b"".join(line.strip() for line in content.split(b"\n"))
    if b" " in content:
        parts = content.split(b" ")
        in_lines = len({len(part) for part in parts[:-1]}) == 1 and sum(map(len, parts)) % 4 == 0
        content = content.replace(b" ", b"" if in_lines else b"+")  # where a form was decoded, plus signs are lost
    content = content.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    return base64.b64decode(content + b"=" * (-len(content) % 4), validate=True)


def _not_base64(text: str) -> Refused:
    if "\N{REPLACEMENT CHARACTER}" in text[:HEAD]:
        message = "The bytes of the picture were taken for text on their way, by which some are lost."
        return Refused(400, "bad_base64", message, "Encode them as base64, or send them as they are.")
    return _no_data(text) or Refused(400, "bad_base64", "The image is not base64.", "Encode the file's bytes.")


def _no_data(text: str) -> Refused | None:
    """The refusal of what only names a picture; None for anything else."""
    if ADDRESS.match(text):
        message = "This is the address of a picture, and nothing is fetched from there."
        return Refused(422, "no_picture", message, SEND_ITSELF)
    if len(text) < 1000 and text.lower().endswith(SUFFIXES):
        return Refused(422, "no_picture", "This is the name of a file, not its content.", SEND_ITSELF)
    return None


def _picture_in_json(body: bytes) -> bytes:
    check_bounds(body, MAX_NUMBERS, MAX_TEXTS)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        if re.search(rb"\b(?:NaN|Infinity)\b", body):
            message = "JSON has no NaN and no Infinity."
            raise Refused(400, "bad_json", message, "Send numbers from 0 to 255, or from 0 to 1.") from None
        raise Refused(400, "bad_json", "The body is not JSON.", HINT) from None
    if isinstance(value, str):  # JSON that was encoded twice
        return picture_in(value.encode())
    if isinstance(value, dict) and "image" in value:
        value = value["image"]
        if isinstance(value, str):
            return picture_in_text(value)
    return _only_picture(value)


def _only_picture(value: Any) -> bytes:
    """The picture somewhere in a JSON value, as the bodies of model servers have it. Raises Refused."""
    found = list(_pictures(value))
    large = [each for each in found if isinstance(each, bytes) or count_numbers(each.values) >= SMALLEST**2]
    if len(large) > 1:
        hint = "Send one at a time, or many as files to /api/predict/batch."
        raise Refused(422, "wrong_shape", f"The body holds {len(large):,} pictures.", hint)
    texts = sorted(_texts(value), key=len)
    if large:
        return large[0] if isinstance(large[0], bytes) else encode_numbers(large[0])
    for refused in filter(None, map(_no_data, texts)):
        raise refused
    if texts and len(texts[-1]) > SHORT:
        return picture_in_text(texts[-1])
    for few in found:
        if isinstance(few, Tensor):
            return encode_numbers(few)  # which says what is wrong with them
    if isinstance(value, list):
        return encode_numbers(Tensor(value))
    raise Refused(422, "wrong_shape", "There is no picture in the JSON.", HINT)


def _pictures(value: Any) -> Iterator[bytes | Tensor]:
    """What may be a picture in a JSON value."""
    if isinstance(value, str):
        yield from _picture_in_value(value)
    elif isinstance(value, list) and value and _is_number(value):
        octets = bytes(value) if all(type(each) is int and 0 <= each < 256 for each in value) else b""
        yield octets if format_of(octets) else Tensor(value)
    elif isinstance(value, list):
        for each in value:
            yield from _pictures(each)
    elif isinstance(value, dict) and isinstance(value.get("shape"), list) and _is_number(value.get("data")):
        yield Tensor(value["data"], value["shape"])
    elif isinstance(value, dict) and len(value) >= SMALLEST**2 and all(map(_is_number, value.values())):
        yield from _pictures(list(value.values()))  # a table's row, or a typed array of JavaScript
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in NO_DATA:
                yield from _pictures(each)


def _picture_in_value(text: str) -> Iterator[bytes]:
    if len(text) > SHORT:
        try:
            data = picture_in_text(text)
        except Refused:
            return
        if format_of(data):
            yield data


def _is_number(value: Any) -> bool:
    """Whether it is a number or lists of them, by the first."""
    while isinstance(value, list) and value:
        value = value[0]
    return isinstance(value, (int, float))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)) and not (isinstance(value, list) and _is_number(value)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
