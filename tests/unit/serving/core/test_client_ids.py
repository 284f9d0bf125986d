from pydantic import SecretStr

from serving.core.client_ids import KEY_FILE, ClientIds


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
