import contextlib
import io
import stat
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.uploads.zips import Archive, Limits, is_zip
from tests.helpers.pictures import zipped

SMALL = Limits(files=10, file_mb=2, total_mb=4)


def read(data, limits=SMALL):
    return list(Archive(io.BytesIO(data), limits))


def only(data):
    (file,) = read(data)
    return file


def test_files_come_in_order_with_folders_in_their_names():
    archive = Archive(io.BytesIO(zipped({"b/2.png": b"two", "a/": b"", "a/1.png": b"one"})), SMALL)
    assert len(archive) == 2
    assert [(file.name, file.content, file.error) for file in archive] == [
        ("b/2.png", b"two", None),
        ("a/1.png", b"one", None),
    ]


def test_what_systems_hide_in_archives_is_left_out():
    hidden = {"__MACOSX/a/._1.png": b"x", "a/.DS_Store": b"x", "Thumbs.db": b"x"}
    assert only(zipped(hidden | {"a/1.png": b"one"})).name == "a/1.png"


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../../up.png", "a/../../up.png", "c:evil.png", "\\\\host\\x.png", "a\x1b[2Jb.png", "a\nb.png"],
)
def test_a_name_that_leads_out_or_can_not_be_shown_is_refused(name):
    file = only(zipped({name: b"x"}))
    assert file.error.code == "bad_name"
    assert file.content == b""
    assert file.name.isprintable()


def test_a_link_is_refused():
    link = zipfile.ZipInfo("seven.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert "link" in only(zipped({link: b"/etc/passwd"})).error.message


def test_a_zip_within_a_zip_is_not_opened():
    assert "within" in only(zipped({"inner.png": zipped({"x.png": b"x"})})).error.message


def test_an_encrypted_file_is_refused():
    data = bytearray(zipped({"x.png": b"x" * 50}))
    central = data.find(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    assert "password" in only(bytes(data)).error.hint


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_bounds_are_refused(method):
    assert "Deflate" in only(zipped({"x.png": b"x" * 50}, method)).error.hint


def test_a_damaged_file_does_not_spoil_the_rest():
    data = zipped({"1.png": b"first", "2.png": b"second", "3.png": b"third"}, zipfile.ZIP_STORED)
    files = read(data.replace(b"second", b"secund"))
    assert [bool(file.error) for file in files] == [False, True, False]
    assert files[2].content == b"third"


def test_a_large_file_does_not_spoil_the_rest():
    first, second = read(zipped({"1.png": bytes(2 * 2**20 + 1), "2.png": b"second"}, zipfile.ZIP_STORED))
    assert (first.error.status, first.error.code) == (413, "too_large")
    assert second.content == b"second"


def test_a_bomb_is_known_by_its_ratio_and_white_paper_is_none():
    assert "bomb" in only(zipped({"x.png": bytes(1_900_000)})).error.message
    assert len(only(zipped({"x.bmp": b"\xff" * 500_000})).content) == 500_000


def test_a_size_that_lies_is_noticed():
    data = bytearray(zipped({"x.png": bytes(1_900_000)}))
    central = data.find(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 100)  # unpacked size, as the table of contents says
    assert "damaged" in only(bytes(data)).error.message


@pytest.mark.parametrize(
    ("files", "code", "reason"),
    [
        ({f"{i}.png": b"x" for i in range(11)}, "too_large", "more than 10 files"),
        ({f"{i}.png": bytes(1_500_000) for i in range(3)}, "too_large", "unpacks to more than 4 MB"),
        ({}, "no_picture", "no files"),
        ({"folder/": b""}, "no_picture", "no files"),
    ],
)
def test_an_archive_out_of_bounds_is_refused_as_a_whole(files, code, reason):
    with pytest.raises(Refused, match=reason) as refused:
        read(zipped(files))
    assert refused.value.code == code


def test_overlapping_files_are_refused():
    data = bytearray(zipped({f"{i}.png": bytes([i]) * 1000 for i in range(4)}, zipfile.ZIP_STORED))
    central = data.find(b"PK\x01\x02")
    for _ in range(4):
        data[central + 20 : central + 28] = struct.pack("<II", 3900, 3900)
        central = data.find(b"PK\x01\x02", central + 4)
    with pytest.raises(Refused, match="overlap"):
        read(bytes(data))


@pytest.mark.parametrize("cut", [1, 10, 22, 60])
def test_a_truncated_zip_is_refused(cut):
    with pytest.raises(Refused, match="resend"):
        read(zipped({"x.png": b"x" * 50})[:-cut])


def test_the_table_of_contents_is_bounded_before_it_is_read():
    data = bytearray(zipped({f"{i}.png": b"x" for i in range(2)}))
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", 1024 * 10 + 1)
    with pytest.raises(Refused, match="more than 10 files"):
        read(bytes(data))


def test_a_zip_is_known_by_its_beginning():
    assert is_zip(zipped({"x": b"x"})[:4])
    assert is_zip(zipped({})[:4])
    assert not is_zip(b"\x89PNG")
    assert not is_zip(b"")


def check_bounds(data):
    """Whatever is sent: files within bounds, or an error in words."""
    with contextlib.suppress(Refused):
        files = read(data)
        assert len(files) <= SMALL.files
        assert sum(len(file.content) for file in files) <= SMALL.total_mb * 2**20
        assert all(file.name.isprintable() and not (file.error and file.content) for file in files)


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(data):
    check_bounds(data)
    check_bounds(b"PK\x03\x04" + data)
    check_bounds(data + b"PK\x05\x06" + data)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(st.dictionaries(names, st.binary(max_size=40), max_size=5), st.data())
def test_a_zip_with_a_changed_byte_is_answered(files, data):
    whole = bytearray(zipped(files))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    check_bounds(bytes(whole))
