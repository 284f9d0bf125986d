"""CIFAR-10 as its authors publish it: six pickled batches, in a .tar.gz or unpacked from it."""

import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from experiments.data.archive import Arrays

FOLDER = "cifar-10-batches-py"
BATCHES = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
MOST = 64 * 2**20  # bytes of a batch; a genuine one has 31 million


def read_archive(path: Path) -> Arrays:
    """From the standard archive, cifar-10-python.tar.gz under whatever name. Errors say what is wrong with it."""
    with tarfile.open(path) as archive:
        members = {member.name: member for member in archive if member.isfile() and member.size <= MOST}

        def read(batch: str) -> bytes:
            if f"{FOLDER}/{batch}" not in members:
                raise FileNotFoundError(f"it holds no {FOLDER}/{batch}")
            return archive.extractfile(members[f"{FOLDER}/{batch}"]).read()

        return _join(read)


def read_folder(path: Path) -> Arrays:
    """From the folder that the standard archive unpacks to."""
    return _join(lambda batch: (path / batch).read_bytes())


def _join(read: Callable[[str], bytes]) -> Arrays:
    """x uint8 [N, 32, 32, 3] and y uint8 [N] of both parts."""
    arrays = {}
    for part, names in BATCHES.items():
        batches = [unpickle_arrays(read(name)) for name in names]
        planes = np.concatenate([batch["data"] for batch in batches])  # uint8 [N, 3072]: red, green, blue
        arrays[f"x_{part}"] = np.ascontiguousarray(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        arrays[f"y_{part}"] = np.concatenate([batch["labels"] for batch in batches]).astype(np.uint8)
    return arrays


def unpickle_arrays(data: bytes) -> Any:
    """What a pickle by Python 2 holds: arrays in plain containers; UnpicklingError if it asks for more."""
    return _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        parts = {
            "numpy.core.multiarray._reconstruct": np.empty(0).__reduce__()[0],
            "numpy.ndarray": np.ndarray,
            "numpy.dtype": np.dtype,
        }
        if f"{module}.{name}" not in parts:
            raise pickle.UnpicklingError(f"the pickle asks for {module}.{name}, which is no part of an array")
        return parts[f"{module}.{name}"]
