"""Files that hold personal data or keys: readable by their owner alone, also those that an earlier version made."""

import stat
from contextlib import suppress
from pathlib import Path

OTHERS = 0o077  # permissions of everyone but the owner


def private_folder(folder: Path) -> None:
    """Make a folder of the owner's alone; one that exists is left as it is, since it may be another's too."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def private_file(path: Path) -> None:
    """Make an empty file of the owner's alone, or take the others' permissions from an existing one."""
    path.touch(0o600)
    narrow(path)


def narrow(path: Path) -> bool:
    """Take the others' permissions from a file, if it is this user's. Returns whether there were any.

    A folder is left as it is: /tmp, named by mistake, is everyone's.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        return False
    if mode & OTHERS:
        with suppress(PermissionError):  # another user's, who has to know
            path.chmod(mode & 0o7777 & ~OTHERS)
    return bool(mode & OTHERS)
