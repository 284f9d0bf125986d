import pytest

from serving.core.errors import Refused
from serving.core.limits import MIB
from serving.uploads.page_files import uploaded_files
from serving.uploads.zips import Limits
from tests.helpers.pictures import zipped

LIMITS = Limits(files=3, file_mb=1, total_mb=2)


@pytest.fixture
def upload(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))

    def upload(name, content):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        (folder / "file").write_bytes(content)
        return {"path": str(folder / "file"), "orig_name": name}

    return upload


def read(*uploads):
    with uploaded_files(uploads, LIMITS) as (count, files):
        listed = list(files)
    assert len(listed) == count
    return listed


def test_files_and_those_of_a_zip_are_given_with_their_names(upload):
    files = read(upload("C:\\digits\\a.png", b"one"), upload("b.zip", zipped({"7\\c.png": b"two"})))
    assert [(file.name, file.content) for file in files] == [("a.png", b"one"), ("7/c.png", b"two")]


def test_a_picture_may_have_less_than_a_file_of_many(upload):
    picture, array = read(upload("a.png", bytes(MIB + 1)), upload("a.npy", bytes(MIB + 1)))
    assert (picture.error.status, picture.content) == (413, b"")
    assert (array.error, len(array.content)) == (None, MIB + 1)


def test_nothing_two_zips_or_too_much_is_refused(upload):
    archive, picture = upload("a.zip", zipped({"a.png": b"x"})), upload("b.png", b"")
    for files in (
        [],
        [archive, upload("b.zip", zipped({"b.png": b"y"}))],
        [picture, *[upload(f"{n}", b"") for n in range(3)]],
    ):
        with pytest.raises(Refused):
            read(*files)
