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


def test_what_systems_add_to_archives_is_left_out_at_any_depth():
    added = [
        "__MACOSX/a/._1.png",
        "a/.DS_Store",
        "Thumbs.db",
        "a/b/@eaDir/1.png",
        "a\\b\\desktop.ini",
        "a/.git/x",
        "a\\",
    ]
    assert only(zipped(dict.fromkeys(added, b"x") | {"a/1.png": b"one"})).name == "a/1.png"


def test_backslashes_separate_folders():
    assert only(zipped({"set\\7\\a.png": b"x"})).name == "set/7/a.png"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("größe/7/数.png".encode(), "größe/7/数.png"),
        ("größe/7/a.png".encode("cp437"), "größe/7/a.png"),
        ("表/7/a.png".encode("cp932"), None),
        (b"\xff\xfe\x81/7/a.png", None),
        (b"a\x1b[2J\n/7/a.png", "a\N{REPLACEMENT CHARACTER}[2J /7/a.png"),
    ],
)
@pytest.mark.parametrize("flag", [False, True])
def test_a_name_in_any_encoding_is_shown_and_the_file_is_read(stored, shown, flag):
    data = zipped({"ä" * (len(stored) // 2) + "x" * (len(stored) % 2): b"content"})
    data = data.replace(("ä" * (len(stored) // 2) + "x" * (len(stored) % 2)).encode(), stored)
    if not flag:
        for start, of_flags in ((b"PK\x01\x02", 9), (b"PK\x03\x04", 7)):
            at = data.find(start) + of_flags
            data = data[:at] + b"\0" + data[at + 1 :]
    file = only(data)
    assert (file.content, file.error) == (b"content", None)
    assert file.name.isprintable()
    assert file.name == shown or (not shown and file.name.endswith("/7/a.png"))


def test_a_file_of_many_pictures_may_be_as_large_as_all():
    assert len(only(zipped({"x.npy": bytes(3 << 20)}, zipfile.ZIP_STORED)).content) == 3 << 20


def test_what_an_office_program_saves_is_told_from_a_zip_of_pictures():
    with pytest.raises(Refused, match="CSV"):
        only(zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""}))


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../../up.png",
        "a/../../up.png",
        "c:evil.png",
        "\\\\host\\x.png",
        "..\\up.png",
        "a\\..\\..\\up.png",
    ],
)
def test_a_name_that_leads_out_is_refused(name):
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


def as_zip64(data, directory_bytes=None):
    """The zip with the records that Google Drive and others write, whatever its size."""
    end = data.rfind(b"PK\x05\x06")
    size, start = struct.unpack("<II", data[end + 12 : end + 20])
    record = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, directory_bytes or size, start)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    return data[:end] + record + locator + data[end : end + 8] + b"\xff" * 12 + data[end + 20 :]


def test_a_zip64_is_read_and_bounded():
    data = zipped({"1.png": b"one"})
    assert only(as_zip64(data)).content == b"one"
    with pytest.raises(Refused, match="more than 10 files"):
        read(as_zip64(data, 1024 * 10 + 1))
    with pytest.raises(Refused, match="more than 10 files"):
        read(as_zip64(data).replace(b"PK\x06\x07", b"PK\x06\x00"))


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


# zipfile ends a name at its first NUL and can't write an empty one.
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


@given(st.dictionaries(names, st.binary(max_size=40), max_size=5), st.data())
def test_a_zip_with_a_changed_byte_is_answered(files, data):
    whole = bytearray(zipped(files))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    check_bounds(bytes(whole))
