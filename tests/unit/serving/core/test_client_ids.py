from pydantic import SecretStr

from serving.core.client_ids import KEY_FILE, Clients, clients


def test_a_client_is_a_hash_that_only_the_key_gives():
    one, other = Clients(b"key"), Clients(b"another key")
    assert one.name("203.0.113.7") == one.name("203.0.113.7") == Clients(b"key").name("203.0.113.7")
    assert len({one.name("203.0.113.7"), one.name("203.0.113.8"), other.name("203.0.113.7")}) == 3
    assert len(one.name("2001:db8::1")) == 16


def test_the_key_is_made_once_and_is_its_owners_alone(settings, tmp_path):
    mine = settings.model_copy(update={"artifact_dir": tmp_path / "artifacts"})
    name = clients(mine).name("203.0.113.7")
    assert clients(mine).name("203.0.113.7") == name
    assert (tmp_path / "artifacts" / KEY_FILE).stat().st_mode & 0o777 == 0o600


def test_replicas_share_a_key_by_its_setting(settings, tmp_path):
    one, two = (
        settings.model_copy(update={"artifact_dir": tmp_path / name, "client_key": SecretStr("shared")})
        for name in ("one", "two")
    )
    assert clients(one).name("203.0.113.7") == clients(two).name("203.0.113.7")
    assert not (tmp_path / "one").exists()
