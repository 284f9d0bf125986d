import pytest

from serving.core.errors import Refused
from serving.uploads.forms import unpack_form
from serving.uploads.zips import Limits

TYPE = "multipart/form-data; boundary=b"
LIMITS = Limits(files=2, file_mb=1, total_mb=2)
FIELD = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
FILE = '--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n'
END = b"--b--\r\n"


def part(content, head=FILE):
    return head.encode() + content + b"\r\n"


def test_the_files_of_a_form_are_unpacked_and_its_fields_dropped():
    body = part(b"abc", FIELD) * 50 + part(b"def") + part(b"", FILE) + END
    assert [file.content for file in unpack_form(TYPE, body, LIMITS)] == [b"def", b""]


@pytest.mark.parametrize("body", [part(b"", FIELD) * 200, part(b"") * 200, part(b"\r\n--bx" * 200), part(b"") * 3])
def test_more_parts_than_are_meant_are_refused(body):
    with pytest.raises(Refused, match="number of") as refused:
        unpack_form(TYPE, body + END, LIMITS)
    assert refused.value.status == 413
