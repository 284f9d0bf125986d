"""A data set as published: from the data folder or the first source that has it, checked by SHA-256."""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

Arrays = Mapping[str, np.ndarray]
"""x_train, x_test: uint8 [N, H, W] or [N, H, W, C]; y_train, y_test: uint8 [N]."""


class DatasetError(RuntimeError):
    """A data set can't be had; the text says what was tried and what to do."""


@dataclass(frozen=True)
class Source:
    """One place to get a data set from. `fetch` returns its arrays or raises, with the reason as the text."""

    name: str
    fetch: Callable[[], Arrays]


@dataclass(frozen=True)
class Composition:
    """What a copy in another order, or with other images, has to be like to be taken in spite of its SHA-256."""

    image_shape: tuple[int, int, int]  # height, width, channels
    classes: int
    per_class: Mapping[str, int]  # images of each class, by the array of their labels


@dataclass(frozen=True)
class Archive:
    """What proves a data set genuine, and where it can be had.

    With a composition the images are put in the order of their content, the same whoever shuffled them before.
    """

    file: str  # name of the cache, an .npz of the arrays
    sha256: Mapping[str, str]  # of each array as an idx file
    sources: Sequence[Source]  # asked in this order
    by_hand: str  # the address of a file that can be put into the data folder
    by_hand_as: str  # and what it's called there
    readers: Mapping[str, Callable[[Path], Arrays]] = field(default_factory=dict)  # of other files in that folder
    composition: Composition | None = None


def obtain(archive: Archive, data_dir: Path) -> Arrays:
    """The verified arrays: from the cache in `data_dir`, another file there or else a source, which fill the cache.

    A damaged cache is named in a warning and replaced. DatasetError if there is no genuine copy anywhere.
    """
    cache = data_dir / archive.file
    try:
        return _verified(_read(cache), archive)
    except FileNotFoundError:
        pass
    except DatasetError as error:
        if archive.composition:  # somebody's own choice, not a download gone wrong
            raise DatasetError(f"{cache} can't be used: {error}. Put it right or remove it.") from error
        _discard(cache, error)
    except Exception as error:  # numpy and zipfile raise almost anything on a broken file
        _discard(cache, error)
    arrays = _fetch(archive, data_dir)
    _keep(arrays, cache)
    return arrays


def digest(arrays: Arrays) -> str:
    """SHA-256, in hex, over those of the arrays: it names the data, whichever source they came from."""
    return hashlib.sha256("".join(map(idx_sha256, arrays.values())).encode()).hexdigest()


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
    arrays = {name: _as_bytes(arrays, name) for name in archive.sha256}
    if archive.composition and _unlike(arrays, archive):
        _count(arrays, archive.composition)
        arrays = _in_order_of_content(arrays)
    if unlike := _unlike(arrays, archive):
        if archive.composition is None:
            raise DatasetError(f"{unlike[0]} is not the original data: another SHA-256")
        logging.getLogger(__name__).warning("these are not the published images, though as many of each class")
    return arrays


def _as_bytes(arrays: Arrays, name: str) -> np.ndarray:
    array = arrays.get(name)
    if isinstance(array, np.ndarray) and name.startswith("y") and array.dtype.kind in "iu" and array.size:
        array = array.reshape(-1)  # Keras gives CIFAR-10's as a column
        array = array.astype(np.uint8) if 0 <= array.min() <= array.max() <= 255 else array
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8:
        raise DatasetError(f"it has no array {name} of 8-bit values")
    return array


def _unlike(arrays: Arrays, archive: Archive) -> list[str]:
    return [name for name, expected in archive.sha256.items() if idx_sha256(arrays[name]) != expected]


def _count(arrays: Arrays, composition: Composition) -> None:
    for name, expected in composition.per_class.items():
        images, labels = arrays[name.replace("y", "x")], arrays[name]
        shape = (composition.classes * expected, *composition.image_shape)
        if images.shape != shape:
            raise DatasetError(f"{name.replace('y', 'x')} has the shape {images.shape}, not {shape}")
        counts = np.bincount(labels, minlength=composition.classes).tolist()
        if counts != [expected] * composition.classes:
            raise DatasetError(
                f"{name} has {counts} images of the classes, not {expected} of each of {composition.classes}"
            )


def _in_order_of_content(arrays: Arrays) -> Arrays:
    """Each part sorted by the SHA-256 of image and label."""
    ordered = {}
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
    logging.getLogger(__name__).warning("%s is damaged (%s): removed, fetched anew", cache, _reason(fault))


def _fetch(archive: Archive, data_dir: Path) -> Arrays:
    tried = [f"{data_dir / archive.file}: no usable file"]
    there = [path for name in archive.readers if (path := data_dir / name).exists()]
    local = [Source(str(path), partial(archive.readers[path.relative_to(data_dir).as_posix()], path)) for path in there]
    for source in (*local, *archive.sources):
        try:
            return _verified(source.fetch(), archive)
        except Exception as error:  # told in the report; the next source gets its turn
            tried.append(f"{source.name}: {_reason(error)}")
            logging.getLogger(__name__).warning("no data from %s", tried[-1])
    raise DatasetError(
        "No genuine copy of the data set could be had. Tried:\n  - " + "\n  - ".join(tried) + "\n"
        f"Download {archive.by_hand} on a machine that reaches it, save it as {data_dir / archive.by_hand_as} and "
        "start again."
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
