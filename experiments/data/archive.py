"""Load a data set as published: from the data folder or the first working source, verified by SHA-256."""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, np.ndarray]
"""x_train, x_test: uint8 [N, H, W] or [N, H, W, C]; y_train, y_test: uint8 [N]."""


class DatasetError(RuntimeError):
    """A data set can't be loaded; the message lists what was tried and what to do."""


@dataclass(frozen=True)
class Source:
    """One place to get a data set from. `fetch` returns its arrays or raises with the reason as its message."""

    name: str
    fetch: Callable[[], Arrays]


@dataclass(frozen=True)
class Composition:
    """What a copy in another order, or with other images, must consist of to be accepted despite its SHA-256."""

    image_shape: tuple[int, int, int]  # height, width, channels
    classes: int
    per_class: Mapping[str, int]  # images of each class, by the name of the label array


@dataclass(frozen=True)
class Archive:
    """How to verify a data set, and where to get it.

    With a composition the images are sorted by content, so that every shuffled copy gives the same arrays.
    """

    file: str  # name of the cache, an .npz of the arrays
    sha256: Mapping[str, str]  # of each array as an idx file
    sources: Sequence[Source]  # in order of preference
    by_hand: str  # address of a file to download by hand
    by_hand_as: str  # its name in the data folder
    readers: Mapping[str, Callable[[Path], Arrays]] = field(default_factory=dict)  # of other files in the data folder
    composition: Composition | None = None


def obtain(archive: Archive, data_dir: Path) -> Arrays:
    """Return the verified arrays from the cache in `data_dir`, else from another file there or a source.

    The latter two fill the cache. A damaged cache is reported in a warning and replaced. Raises DatasetError if there
    is no genuine copy anywhere.
    """
    cache = data_dir / archive.file
    try:
        return _verified(read_npz(cache), archive)
    except FileNotFoundError:
        pass
    except DatasetError as error:
        if archive.composition:  # the user's own choice, not a failed download
            raise DatasetError(f"{cache} can't be used: {error}. Correct or remove it.") from error
        _discard(cache, error)
    except Exception as error:  # numpy and zipfile raise almost anything for a broken file
        _discard(cache, error)
    arrays = _fetch(archive, data_dir)
    _keep(arrays, cache)
    return arrays


def read_npz(path: Path) -> Arrays:
    """Read all arrays of an .npz file."""
    with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as arrays:
        return dict(arrays)


def digest(arrays: Arrays) -> str:
    """SHA-256, in hexadecimal, over the SHA-256 of the arrays: the same data from any source have the same."""
    return hashlib.sha256("".join(map(idx_sha256, arrays.values())).encode()).hexdigest()


def idx_sha256(array: NDArray[np.uint8]) -> str:
    """SHA-256 of an array uint8 [...] as a file in the idx format, in which MNIST was published."""
    unsigned_bytes = 8
    header = bytes([0, 0, unsigned_bytes, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    digest = hashlib.sha256(header)
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _verified(arrays: Arrays, archive: Archive) -> Arrays:
    arrays = {name: _as_bytes(arrays, name) for name in archive.sha256}
    if archive.composition and _mismatches(arrays, archive):
        _check_composition(arrays, archive.composition)
        arrays = _sorted_by_content(arrays)
    if mismatches := _mismatches(arrays, archive):
        if archive.composition is None:
            raise DatasetError(f"{mismatches[0]} is not the original data: its SHA-256 differs")
        logging.getLogger(__name__).warning("these are not the published images, but there are as many of each class")
    return arrays


def _as_bytes(arrays: Arrays, name: str) -> NDArray[np.uint8]:
    array = arrays.get(name)
    if isinstance(array, np.ndarray) and name.startswith("y") and array.dtype.kind in "iu" and array.size:
        array = array.reshape(-1)  # Keras has CIFAR-10's labels as a column
        array = array.astype(np.uint8) if 0 <= array.min() <= array.max() <= 255 else array
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        raise DatasetError(f"it has no array {name} of 8-bit values")
    return array


def _mismatches(arrays: Arrays, archive: Archive) -> list[str]:
    return [name for name, expected in archive.sha256.items() if idx_sha256(arrays[name]) != expected]


def _check_composition(arrays: Arrays, composition: Composition) -> None:
    for y, expected in composition.per_class.items():
        x = y.replace("y", "x")
        shape = (composition.classes * expected, *composition.image_shape)
        if arrays[x].shape != shape:
            raise DatasetError(f"{x} has the shape {arrays[x].shape}, not {shape}")
        counts = np.bincount(arrays[y], minlength=composition.classes).tolist()
        if counts != [expected] * composition.classes:
            raise DatasetError(
                f"{y} has {counts} images of the classes, not {expected} of each of {composition.classes}"
            )


def _sorted_by_content(arrays: Arrays) -> Arrays:
    """Sort each split by the SHA-256 of image and label."""
    ordered: dict[str, np.ndarray] = {}
    for x, y in (("x_train", "y_train"), ("x_test", "y_test")):
        pairs = zip(arrays[x], arrays[y], strict=True)
        hashes = [hashlib.sha256(image.tobytes() + label.tobytes()).digest() for image, label in pairs]
        order = sorted(range(len(hashes)), key=hashes.__getitem__)
        ordered |= {x: arrays[x][order], y: arrays[y][order]}
    return {name: ordered[name] for name in arrays}


def _discard(cache: Path, fault: Exception) -> None:
    try:
        cache.unlink(missing_ok=True)
    except OSError as error:
        raise DatasetError(
            f"{cache} can't be used ({_reason(fault)}) and can't be removed ({_reason(error)}). "
            "Remove it by hand or choose another data folder."
        ) from error
    logging.getLogger(__name__).warning("%s is damaged (%s): removed, fetching it again", cache, _reason(fault))


def _fetch(archive: Archive, data_dir: Path) -> Arrays:
    attempts = [f"{data_dir / archive.file}: no usable file"]
    local = [
        Source(str(path), partial(read, path))
        for name, read in archive.readers.items()
        if (path := data_dir / name).exists()
    ]
    for source in (*local, *archive.sources):
        try:
            return _verified(source.fetch(), archive)
        except Exception as error:  # reported below if the other sources fail too
            attempts.append(f"{source.name}: {_reason(error)}")
            logging.getLogger(__name__).warning("no data from %s", attempts[-1])
    raise DatasetError(
        "No genuine copy of the data set was found. Tried:\n  - " + "\n  - ".join(attempts) + "\n"
        f"Download {archive.by_hand} on a machine that can reach it, save it as {data_dir / archive.by_hand_as} and "
        "start again."
    )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _keep(arrays: Arrays, cache: Path) -> None:
    """Fill the cache atomically, so that neither a kill nor a second process can leave half a file."""
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent, prefix=".unfinished-") as folder:
            complete = Path(folder, cache.name)
            np.savez(complete, allow_pickle=False, **arrays)
            complete.replace(cache)
    except OSError as error:
        logging.getLogger(__name__).warning("%s can't be kept (%s): it is fetched again next time", cache, error)
