import tempfile
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.uploads.page_upload import PageUpload

TYPE = "multipart/form-data; boundary=b"
END = b"--b--\r\n"


def part(content, name="files", filename="f.png"):
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def count(folder):
    return len(list(Path(folder).iterdir()))


def cut(body, size):
    return [body[start : start + size] for start in range(0, len(body), size)]


def take(pieces, parent=None):
    """What an upload leaves in its folder: the paths that it tells, and all files by their path."""
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        upload = PageUpload(TYPE, Path(folder), str)
        try:
            for piece in pieces:
                upload.write(piece)
            paths = upload.finish()
        finally:
            upload.discard()
            found = {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}
            assert {Path(path).parent.name for path in found} == {sha256(each).hexdigest() for each in found.values()}
    return [found[path] for path in paths], set(found) - set(paths)


@given(st.lists(st.binary(max_size=30), max_size=4), st.integers(1, 9))
def test_an_upload_in_any_pieces_is_kept_file_by_file(contents, size):
    body = b"".join(map(part, contents)) + END
    assert take(cut(body, size)) == (contents, set())


@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_are_refused_and_leave_nothing(pieces):
    with pytest.raises(Refused):
        take([part(b"abc"), *pieces])


@pytest.mark.parametrize("size", [1, 3, 100_000])
@pytest.mark.parametrize("content", [b"", b"\r\n--bx" * 2000])
def test_parts_are_counted_however_they_arrive(size, content):
    body = part(content) * (1 if content else 1001) + END
    with pytest.raises(Refused, match="limit of 1,000"):
        take(cut(body, size))


@pytest.mark.parametrize("name", ["", ".", "..", "../../x", "/etc/x", "a/b", "a\\..\\b"])
def test_a_file_stays_in_its_folder_whatever_its_name(tmp_path, name):
    contents, others = take([part(b"abc", filename=name), END], tmp_path)
    assert (contents, others, count(tmp_path)) == ([b"abc"], set(), 0)


def test_one_file_is_open_at_a_time(tmp_path):
    before = count("/dev/fd")
    upload = PageUpload(TYPE, tmp_path, str)
    upload.write(part(b"abc") * 500)
    assert count("/dev/fd") <= before + 1
    upload.discard()
    assert count(tmp_path) == 0
