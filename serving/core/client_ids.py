"""Client ids: keyed hashes of clients, whose addresses are never kept."""

import hashlib
import logging
import os
import secrets
import stat
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from serving.core.private_files import narrow, private_folder
from settings import Settings, SettingsError

KEY_FILE = "client.key"
KEY_BYTES = 32


class ClientIds:
    """Hashes clients so that nobody without the key can lead an id back to one."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.sha256(key).digest()
        self.id_of = lru_cache(maxsize=4096)(self._hash)
        """client or network -> 16 hexadecimal digits, the same for the same one and key."""

    @classmethod
    def of(cls, settings: Settings) -> "ClientIds":
        """Keyed by the settings, else by a random key made once in the artifact folder. Raises SettingsError."""
        if key := settings.client_key.get_secret_value():
            return cls(key.encode())
        try:
            return cls(_own_key(settings.artifact_dir))
        except SettingsError:
            if settings.history:
                raise
            return cls(secrets.token_bytes(KEY_BYTES))  # nothing is kept that another start would compare

    def derive_key(self, purpose: str) -> bytes:
        """A key for another purpose, the same for the same purpose and key."""
        return hashlib.blake2b(purpose.encode(), key=self._key, person=b"another purpose").digest()

    def _hash(self, client: str) -> str:
        return hashlib.blake2b(client.encode(), key=self._key, digest_size=8).hexdigest()


def _own_key(folder: Path) -> bytes:
    """The key of the folder, made where there is none. Raises SettingsError."""
    path = folder / KEY_FILE
    try:
        if not os.path.lexists(path):
            private_folder(folder)
            _write_new(path, secrets.token_bytes(KEY_BYTES))
        return _read(path)
    except OSError as error:
        problem = f"The key that hashes clients, {path}, can't be used: {error.strerror or error}."
    except ValueError as error:
        problem = f"The key that hashes clients, {path}, is damaged: {error}. Delete it to have a new one made."
    advice = "Set DEMO_CLIENT_KEY, DEMO_ARTIFACT_DIR to a folder that can be written, or DEMO_HISTORY=false."
    raise SettingsError(f"{problem} {advice}")


def _write_new(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; of several that do so at once, one stays."""
    descriptor, written = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # its owner's alone
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(written, path)
    finally:
        Path(written).unlink()


def _read(path: Path) -> bytes:
    """Raises ValueError for what is no key."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would keep the start waiting
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        key = file.read(KEY_BYTES + 1)
        if len(key) != KEY_BYTES or not any(key):
            raise ValueError(f"it does not hold {KEY_BYTES} random bytes")
        if narrow(path):
            logging.getLogger(__name__).warning("%s could be read by others. Delete it to have a new one made.", path)
    return key
