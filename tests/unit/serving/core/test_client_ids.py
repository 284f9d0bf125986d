import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from serving.core.client_ids import KEY_FILE, ClientIds
from settings import SettingsError


def test_a_client_is_a_hash_that_only_the_key_gives():
    one, other = ClientIds(b"key"), ClientIds(b"another key")
    assert one.id_of("203.0.113.7") == one.id_of("203.0.113.7") == ClientIds(b"key").id_of("203.0.113.7")
    assert len({one.id_of("203.0.113.7"), one.id_of("203.0.113.8"), other.id_of("203.0.113.7")}) == 3
    assert len(one.id_of("2001:db8::1")) == 16


def test_the_key_is_made_once_and_is_its_owners_alone(settings, tmp_path):
    own = settings.model_copy(update={"artifact_dir": tmp_path / "artifacts"})
    name = ClientIds.of(own).id_of("203.0.113.7")
    assert ClientIds.of(own).id_of("203.0.113.7") == name
    assert (tmp_path / "artifacts" / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_replicas_share_a_key_by_its_setting(settings, tmp_path):
    one, two = (
        settings.model_copy(update={"artifact_dir": tmp_path / name, "client_key": SecretStr("shared")})
        for name in ("one", "two")
    )
    assert ClientIds.of(one).id_of("203.0.113.7") == ClientIds.of(two).id_of("203.0.113.7")
    assert not (tmp_path / "one").exists()


@pytest.fixture
def own(settings, tmp_path):
    return settings.model_copy(update={"artifact_dir": tmp_path})


def test_starts_at_once_agree_on_one_key(settings, tmp_path):
    for number in range(20):
        own = settings.model_copy(update={"artifact_dir": tmp_path / str(number)})
        with ThreadPoolExecutor(8) as threads:
            names = set(threads.map(lambda _: ClientIds.of(own).id_of("203.0.113.7"), range(8)))  # noqa: B023
        assert len(names) == 1
        assert [file.name for file in (tmp_path / str(number)).iterdir()] == [KEY_FILE]


def test_without_a_history_no_key_need_be_kept(settings, tmp_path):
    (tmp_path / "file").touch()
    nowhere = settings.model_copy(update={"artifact_dir": tmp_path / "file" / "folder"})
    with pytest.raises(SettingsError, match=r"DEMO_CLIENT_KEY, DEMO_ARTIFACT_DIR .* DEMO_HISTORY=false"):
        ClientIds.of(nowhere)
    one, two = (ClientIds.of(nowhere.model_copy(update={"history": False})) for _ in range(2))
    assert one.id_of("203.0.113.7") != two.id_of("203.0.113.7")


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33, bytes(32)])
def test_a_damaged_key_is_told_in_words_and_left_alone(content, own):
    path = own.artifact_dir / KEY_FILE
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"client\.key, is damaged.*Delete it.*DEMO_CLIENT_KEY"):
        ClientIds.of(own)
    assert path.read_bytes() == content


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/hostname")])
def test_a_key_is_a_regular_file(make, own):
    path = own.artifact_dir / KEY_FILE
    make(path)
    with pytest.raises(SettingsError, match="DEMO_CLIENT_KEY"):
        ClientIds.of(own)


def test_a_folder_that_takes_no_key_is_told_in_words(settings, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"can't be used: .*DEMO_CLIENT_KEY"):
        ClientIds.of(settings.model_copy(update={"artifact_dir": tmp_path / "file"}))


def test_a_key_that_others_could_read_is_its_owners_alone_from_then_on(own, caplog):
    ClientIds.of(own)
    path = own.artifact_dir / KEY_FILE
    path.chmod(0o644)
    ClientIds.of(own)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "could be read by others" in caplog.text
