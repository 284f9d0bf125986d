"""A data set as published: from the local cache or the first source that has it, checked by SHA-256."""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

Arrays = Mapping[str, np.ndarray]
"""x_train, x_test: uint8 [N, H, W] or [N, H, W, C]; y_train, y_test: uint8, one label an image."""


class DatasetError(RuntimeError):
    """A data set can't be had; the text says what was tried and what to do."""


@dataclass(frozen=True)
class Source:
    """One place to get a data set from. `fetch` returns its arrays or raises, with the reason as the text."""

    name: str
    fetch: Callable[[], Arrays]


@dataclass(frozen=True)
class Archive:
    """What proves a data set genuine, and where it can be had."""

    file: str  # name of the cache, an .npz of the arrays
    sha256: Mapping[str, str]  # of each array as an idx file
    sources: Sequence[Source]  # asked in this order
    by_hand: str  # the address of a file that can be put in the cache's place

    @property
    def digest(self) -> str:
        """SHA-256, in hex, over those of the arrays: it names the data, whichever source they came from."""
        return hashlib.sha256("".join(self.sha256.values()).encode()).hexdigest()


def obtain(archive: Archive, data_dir: Path) -> Arrays:
    """The verified arrays, from the cache in `data_dir` or else from a source, which fills the cache.

    A damaged cache is named in a warning and replaced. DatasetError if there is no genuine copy anywhere.
    """
    cache = data_dir / archive.file
    try:
        return _verified(_read(cache), archive)
    except FileNotFoundError:
        pass
    except Exception as error:  # numpy and zipfile raise almost anything on a broken file
        _discard(cache, error)
    arrays = _fetch(archive, cache)
    _keep(arrays, cache)
    return arrays


def idx_sha256(array: np.ndarray) -> str:
    """SHA-256 of an array uint8 [...] as a file in the idx format, in which MNIST was published."""
    unsigned_bytes = 8
    header = bytes([0, 0, unsigned_bytes, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    digest = hashlib.sha256(header)
    digest.update(np.ascontiguousarray(array).reshape(-1))
    return digest.hexdigest()


def _read(cache: Path) -> Arrays:
    with cache.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as arrays:
        return dict(arrays)


def _verified(arrays: Arrays, archive: Archive) -> Arrays:
    for name, expected in archive.sha256.items():
        array = arrays.get(name)
        if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
            raise DatasetError(f"it has no array {name} of 8-bit values")
        if idx_sha256(array) != expected:
            raise DatasetError(f"{name} is not the original data: another SHA-256")
    return {name: arrays[name] for name in archive.sha256}


def _discard(cache: Path, fault: Exception) -> None:
    try:
        cache.unlink(missing_ok=True)
    except OSError as error:
        raise DatasetError(
            f"{cache} can't be used ({_reason(fault)}) and can't be removed ({_reason(error)}). "
            "Remove it by hand or choose another data folder."
        ) from error
    logging.getLogger(__name__).warning("%s is damaged (%s): removed, fetched anew", cache, _reason(fault))


def _fetch(archive: Archive, cache: Path) -> Arrays:
    tried = [f"{cache}: no usable file"]
    for source in archive.sources:
        try:
            return _verified(source.fetch(), archive)
        except Exception as error:  # told in the report; the next source gets its turn
            tried.append(f"{source.name}: {_reason(error)}")
            logging.getLogger(__name__).warning("no data from %s", tried[-1])
    raise DatasetError(
        "No genuine copy of the data set could be had. Tried:\n  - " + "\n  - ".join(tried) + "\n"
        f"Download {archive.by_hand} on a machine that reaches it, save it as {cache} and start again."
    )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _keep(arrays: Arrays, cache: Path) -> None:
    """Fills the cache in one step, so that neither a kill nor a second process can leave half a file."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent, prefix=".unfinished-") as folder:
            complete = Path(folder, cache.name)
            np.savez(complete, **arrays)
            complete.replace(cache)
    except OSError as error:
        logging.getLogger(__name__).warning("%s can't be kept (%s): fetched again next time", cache, error)
