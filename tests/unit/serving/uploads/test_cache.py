import asyncio
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.core.errors import Refused
from serving.core.limits import MIB
from serving.core.private_files import narrow
from serving.uploads.cache import (
    IN_USE_SECONDS,
    KEPT_SECONDS,
    MAX_FILE_MB,
    UploadCache,
    choose_folder,
    make_private,
    open_uploaded,
    read_uploaded,
    upload_folder,
)
from settings import SettingsError

REFUSAL = "This file was not uploaded to this page."


@pytest.fixture
def cache(monkeypatch, tmp_path):
    cache = tmp_path / "cache"
    (cache / "digest").mkdir(parents=True)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(cache))
    return cache


def test_an_uploaded_file_is_read(cache):
    (cache / "digest/a.png").write_bytes(b"picture")
    assert read_uploaded(str(cache / "digest/a.png")) == b"picture"


def test_what_is_no_upload_is_refused_in_the_same_words(cache, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (cache / "digest/link.png").symlink_to(tmp_path / "secret.png")
    (cache / "elsewhere").symlink_to(tmp_path)
    (cache / "partial").write_bytes(b"still coming")
    os.mkfifo(cache / "digest/fifo.png")
    with (cache / "digest/large.png").open("wb") as file:
        file.truncate(MAX_FILE_MB * MIB + 1)
    (cache / "digest/folder.png").mkdir()
    inside = ("digest", "digest/link.png", "elsewhere/secret.png", "partial", "digest/fifo.png", "digest/large.png")
    inside = (*inside, "digest/folder.png", "digest/missing.png", "digest/../../secret.png", "digest/../../etc/hosts")
    paths = [str(cache), *(str(cache / path) for path in inside), str(tmp_path / "secret.png"), "/dev/zero", "x" * 5000]
    for path in (*paths, "nul\0", "\ud800", "", None, 7, ["a"], {"path": "a"}):
        with pytest.raises(Refused) as refused:
            open_uploaded(path)
        assert (refused.value.code, refused.value.message) == ("not_uploaded", REFUSAL)


@pytest.fixture
def places(monkeypatch, tmp_path):
    """A folder for temporary files, with none chosen for uploads."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def is_private(folder):
    return folder.is_dir() and folder.stat().st_mode & 0o777 == 0o700


def test_uploads_are_kept_among_the_temporary_files(places):
    choose_folder()
    assert upload_folder() == places / "gradio"
    assert is_private(places / "gradio")


def take(path):
    path.mkdir()
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    else:
        pytest.skip("only root gives files away")


@pytest.mark.parametrize("occupy", [take, Path.touch, lambda path: path.symlink_to("/tmp")])  # noqa: S108
def test_a_folder_that_another_user_has_made_is_left_alone(places, occupy, caplog):
    occupy(places / "gradio")
    choose_folder()
    assert upload_folder() == places / f"gradio-{os.geteuid()}"
    assert is_private(upload_folder())
    assert "Uploads are kept in" in caplog.text


def test_where_all_usual_names_are_taken_a_new_one_is_made(places):
    for name in ("gradio", f"gradio-{os.geteuid()}"):
        (places / name).touch()
    choose_folder()
    assert upload_folder().parent == places
    assert is_private(upload_folder())


def test_a_folder_that_is_set_is_used_where_it_can_be(places, monkeypatch, caplog):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(places / "own"))
    choose_folder()
    assert upload_folder() == places / "own"
    (places / "file").touch()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(places / "file" / "folder"))
    choose_folder()
    assert upload_folder() == places / "gradio"
    assert str(places / "file") in caplog.text


def test_without_any_folder_the_start_says_what_to_set(places):
    (places / "file").touch()
    with pytest.raises(SettingsError, match=r"Can't keep uploads \(.*Set GRADIO_TEMP_DIR"):
        choose_folder([places / "file" / "x"])


@pytest.fixture(scope="session")
def opened():
    """The files that this thread opens."""
    paths, thread = [], threading.get_ident()

    def note(event, arguments):
        if event == "open" and threading.get_ident() == thread:
            paths.append(arguments[0])

    sys.addaudithook(note)
    return paths


PATHS = st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()), st.text().map("/etc/{}".format))


@given(PATHS)
def test_nothing_outside_the_cache_is_opened_whatever_is_named(opened, path):
    opened.clear()
    with pytest.raises(Refused):
        open_uploaded(path)
    assert opened == []


def put(cache, name, age, size=100_000):
    """Put a file into the cache that was last used so many seconds ago."""
    (cache / name).parent.mkdir(exist_ok=True)
    (cache / name).write_bytes(bytes(size))
    then = time.time() - age
    os.utime(cache / name, (then, then))


def names(cache):
    return sorted(path.name for path in cache.rglob("*") if path.is_file())


def test_the_least_recently_used_go_first_until_there_is_room(cache):
    for name, age in (("a", 400), ("b", 300), ("c", 500), ("d", 200)):
        put(cache, f"{name * 3}/{name}", age)
    keeper = UploadCache(cache, 450_000, pause=0)
    deleted = []
    keeper.deleted = deleted.extend
    keeper.sweep()
    assert names(cache) == ["a", "b", "c", "d"]
    assert read_uploaded(str(cache / "ccc/c"))  # which uses it
    asyncio.run(keeper.add(100_000))
    assert names(cache) == ["b", "c", "d"]
    assert deleted == [str(cache / "aaa/a")]


def test_what_is_in_use_stays_and_no_more_is_taken_meanwhile(cache):
    put(cache, "aaa/a", 0, 450_000)
    keeper = UploadCache(cache, 500_000, pause=0)
    keeper.sweep()
    with pytest.raises(Refused) as refused:
        asyncio.run(keeper.add(100_000))
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"]
    assert names(cache) == ["a"]
    asyncio.run(keeper.add(1000))


def test_what_another_page_adds_counts_too(cache):
    keeper = UploadCache(cache, 500_000, pause=0)
    keeper.sweep()
    put(cache, "aaa/a", 100, 495_000)
    asyncio.run(keeper.add(60_000))
    asyncio.run(keeper.add(10_000))
    assert names(cache) == []


def test_old_files_partial_ones_and_empty_folders_go(cache):
    put(cache, "aaa/a", KEPT_SECONDS + 1)
    put(cache, "tmp123", IN_USE_SECONDS + 1)
    put(cache, "bbb/b", 5)
    put(cache, "tmp456", 5)
    keeper = UploadCache(cache, 1_000_000, pause=0)
    keeper.sweep()
    os.utime(cache / "aaa", (0, 0))
    keeper.sweep()
    assert sorted(path.name for path in cache.iterdir()) == ["bbb", "digest", "tmp456"]
    assert names(cache) == ["b", "tmp456"]


def test_a_link_is_deleted_and_not_what_it_leads_to(cache, tmp_path):
    (tmp_path / "kept").write_bytes(b"kept")
    (cache / "digest/link").symlink_to(tmp_path / "kept")
    (cache / "folder").symlink_to(tmp_path)
    os.utime(cache / "digest/link", (0, 0), follow_symlinks=False)
    os.utime(cache / "folder", (0, 0), follow_symlinks=False)
    UploadCache(cache, 1_000_000).sweep()
    assert names(tmp_path) == ["kept"]
    assert not (cache / "folder").is_symlink()


def test_the_folder_is_its_owners_alone(tmp_path):
    (tmp_path / "open").mkdir(mode=0o755)
    for folder in (tmp_path / "open", tmp_path / "some/new"):
        keeper = UploadCache(folder, 1_000_000)
        keeper.sweep()
        keeper.prepare()
        assert folder.stat().st_mode & 0o777 == 0o700


def test_what_is_everyones_stays_everyones(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    with pytest.raises(PermissionError, match="everyone's"):
        make_private(shared)
    narrow(shared)
    assert shared.stat().st_mode & 0o7777 == 0o1777
