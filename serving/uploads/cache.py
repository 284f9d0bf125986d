"""The cache of uploads: the files that visitors uploaded to the page and those that the page wrote for them."""

import asyncio
import errno
import logging
import math
import os
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from serving.core.errors import Refused
from serving.core.limits import MIB
from settings import SettingsError

VARIABLE = "GRADIO_TEMP_DIR"
MEMORY = Path("/dev/shm")  # noqa: S108 where containers can write whose disks are all read-only
MAX_FILE_MB = 16  # MiB of one uploaded file: mnist.npz has 11
IN_USE_SECONDS = 30.0  # for which a file stays that was uploaded, written or opened
KEPT_SECONDS = 3600.0  # for which it stays at most
SWEEP_SECONDS = 60.0  # between sweeps while nothing needs room
SMALLEST = 4096  # bytes of disk that a file takes
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO would hold up the opening


def upload_folder() -> Path:
    """The cache's folder, which Gradio finds in the same way."""
    return Path(os.environ.get(VARIABLE) or Path(tempfile.gettempdir()) / "gradio")


def choose_folder(usual: Iterable[Path] | None = None) -> None:
    """Choose a folder that this user can write and nobody else reads: the one that is set, else one of `usual`, by
    default among the system's temporary files. Gradio writes there once it is imported. Raises SettingsError."""
    named, reasons = [Path(name) for name in (os.environ.get(VARIABLE),) if name], list[str]()
    for folder in chain(named, _usual_folders() if usual is None else usual):
        try:
            make_private(folder, is_shared_place=folder not in named)
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror}")
            continue
        os.environ[VARIABLE] = str(folder.absolute())
        try:
            tempfile.gettempdir()
        except FileNotFoundError:
            os.environ["TMPDIR"] = os.environ[VARIABLE]
        if reasons:
            logging.getLogger(__name__).warning("Uploads are kept in %s (%s).", folder, "; ".join(reasons))
        return
    advice = f"Set {VARIABLE} to a folder of your own that can be written."
    raise SettingsError(f"Can't keep uploads ({'; '.join(reasons)}). {advice}")


def make_private(folder: Path, is_shared_place: bool = False) -> None:
    """Make a folder that its owner alone can use and that can be written, or make an existing one so.
    is_shared_place: where others may have made a folder or a link of this name. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_shared_place:
        status = folder.lstat()
        if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
            raise PermissionError(errno.EPERM, "it is another user's")
    if folder.stat().st_mode & stat.S_ISVTX:
        raise PermissionError(errno.EPERM, "it is everyone's")  # such as /tmp itself
    folder.chmod(0o700)
    tempfile.TemporaryFile(dir=folder).close()


def _usual_folders() -> Iterator[Path]:
    try:
        places = [Path(tempfile.gettempdir())]
    except FileNotFoundError:  # none of the usual ones can be written
        places = []
    for place in (*places, MEMORY):
        yield place / "gradio"
        yield place / f"gradio-{os.geteuid()}"
        with suppress(OSError):
            yield Path(tempfile.mkdtemp(prefix="gradio-", dir=place))


def open_uploaded(path: Any) -> BinaryIO:
    """Open a file of the cache. Raises Refused, in the same words whatever else is at that path: only what has been
    opened is looked at, so that nothing can take its place."""
    try:
        folder = Path(path).parent.resolve(strict=True)  # Gradio gives each file a folder of its own
        if folder.parent == upload_folder().resolve():
            descriptor = os.open(folder / Path(path).name, FLAGS)
            status = os.fstat(descriptor)
            if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_FILE_MB * MIB:
                os.utime(descriptor)  # it is in use from now on
                return os.fdopen(descriptor, "rb")
            os.close(descriptor)
    except (OSError, TypeError, ValueError):  # no path at all, one too long, or with a NUL in it
        pass
    message = "This file was not uploaded to this page."
    raise Refused(422, "not_uploaded", message, "Upload it first; the answer to the upload is its path.") from None


def read_uploaded(path: Any) -> bytes:
    """Return the content of a file of the cache. Raises Refused."""
    with open_uploaded(path) as file:
        return file.read()


def no_room(seconds: int) -> Refused:
    """There is no room for a file, in the cache or on the disk, but there may be in so many seconds."""
    return Refused(503, "no_room", "The page has no room for more files.", f"Try again in {seconds} s.", seconds)


class _File(NamedTuple):
    used_at: float
    bytes: int
    path: str
    is_partial: bool  # of an upload that goes on or broke off


class UploadCache:
    """Keeps the files of the cache within a total, of which those go first that were not used for longest. Other pages
    may share the folder: what it holds is counted at each sweep, between them what this page adds."""

    def __init__(self, folder: Path, max_bytes: int, in_use: float = IN_USE_SECONDS, pause: float = 1.0) -> None:
        """in_use: as IN_USE_SECONDS; pause: s between sweeps at least."""
        self._folder, self._most, self._in_use, self._pause = folder, max_bytes, in_use, pause
        self._bytes = self._added = 0
        self._swept_at = -math.inf
        self._lock = threading.Lock()
        self.added: Callable[[list[str]], object] = list
        """Called with the paths of uploaded files."""
        self.deleted: Callable[[set[str]], object] = set
        """Called with the paths of deleted files."""

    def prepare(self) -> None:
        """Make the folder, for its owner alone. Raises OSError for another's, or one that can't be written."""
        make_private(self._folder)

    async def add(self, count: int) -> None:
        """Count bytes that are about to be written. Raises Refused 503 while there is no room for them."""
        if self._bytes + count > self._most or self._added > self._most // 10:
            await asyncio.to_thread(self.sweep, count)
        if self._bytes + count > self._most:
            raise no_room(math.ceil(self._in_use))
        self._bytes += count
        self._added += count

    def sweep_now_and_then(self) -> None:
        """Sweep if the last sweep was a while ago."""
        if time.monotonic() - self._swept_at > SWEEP_SECONDS:
            self.sweep()

    def sweep(self, room: int = 0) -> None:
        """Count the files, and delete those that are old, and for `room` more bytes as many as leave a tenth free."""
        with self._lock:
            if time.monotonic() - self._swept_at < self._pause:
                return
            files, now, deleted = sorted(self._files()), time.time(), set[str]()
            total = sum(file.bytes for file in files)
            most = self._most * 9 // 10 - room if total + room > self._most else self._most
            for file in files:
                age = now - file.used_at
                if age > KEPT_SECONDS or (age > self._in_use and (total > most or file.is_partial)):
                    with suppress(OSError):  # another page's sweep has deleted it
                        Path(file.path).unlink()
                    deleted.add(file.path)
                    total -= file.bytes
            self._bytes, self._added, self._swept_at = total, 0, time.monotonic()
        self.deleted(deleted)

    def _files(self) -> Iterator[_File]:
        """The files, those of uploads that broke off among them; a folder that was left empty is removed."""
        before = time.time() - SWEEP_SECONDS
        for entry in _entries(self._folder):
            if not entry.is_dir(follow_symlinks=False):
                yield from _described(entry, is_partial=True)
                continue
            files = [file for inner in _entries(entry.path) for file in _described(inner, is_partial=False)]
            yield from files
            with suppress(OSError):  # it is not empty, or gone
                if not files and entry.stat(follow_symlinks=False).st_mtime < before:
                    Path(entry.path).rmdir()


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # another page's sweep has removed it
        return []


def _described(entry: os.DirEntry[str], *, is_partial: bool) -> Iterator[_File]:
    with suppress(OSError):
        status = entry.stat(follow_symlinks=False)
        yield _File(status.st_mtime, max(status.st_size, SMALLEST), entry.path, is_partial)
