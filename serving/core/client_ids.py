"""Client ids: keyed hashes of addresses, which are never kept themselves."""

import hashlib
import os
import secrets
from functools import lru_cache
from pathlib import Path

from settings import Settings

KEY_FILE = "client.key"


class ClientIds:
    """Hashes client addresses so that nobody without the key can lead an id back to one."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(key).digest()
        self.id_of = lru_cache(maxsize=4096)(self._hash)
        """address -> 16 hexadecimal digits, the same for the same address and key."""

    @classmethod
    def of(cls, settings: Settings) -> "ClientIds":
        """Keyed by the settings, else by a random key made once in the artifact folder."""
        key = settings.client_key.get_secret_value()
        return cls(key.encode() if key else _own_key(settings.artifact_dir))

    def _hash(self, address: str) -> str:
        return hashlib.blake2b(address.encode(), key=self._key, digest_size=8).hexdigest()


def _own_key(folder: Path) -> bytes:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / KEY_FILE
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    return path.read_bytes()
