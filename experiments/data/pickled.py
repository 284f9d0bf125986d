"""Read CIFAR-10 as its authors publish it: six pickled batches, in a .tar.gz or unpacked from it."""

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
MAX_BATCH = 64 * 2**20  # bytes of a batch; a genuine one has 31 million


def read_archive(path: Path) -> Arrays:
    """Read the standard archive, cifar-10-python.tar.gz under any name. Errors say what is wrong with it."""
    with tarfile.open(path) as archive:
        members = {member.name: member for member in archive if member.isfile() and member.size <= MAX_BATCH}

        def read(batch: str) -> bytes:
            member = members.get(f"{FOLDER}/{batch}")
            file = member and archive.extractfile(member)
            if not file:
                raise FileNotFoundError(f"it contains no {FOLDER}/{batch}")
            return file.read()

        return _join(read)


def read_folder(path: Path) -> Arrays:
    """Read the folder that the standard archive unpacks to."""
    return _join(lambda batch: (path / batch).read_bytes())


def _join(read: Callable[[str], bytes]) -> Arrays:
    """Join the batches of each split: x uint8 [N, 32, 32, 3], y uint8 [N]."""
    arrays = {}
    for split, names in BATCHES.items():
        batches = [unpickle_arrays(read(name)) for name in names]
        planes = np.concatenate([batch["data"] for batch in batches])  # uint8 [N, 3072]: red, green, blue
        arrays[f"x_{split}"] = np.ascontiguousarray(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        arrays[f"y_{split}"] = np.concatenate([batch["labels"] for batch in batches]).astype(np.uint8)
    return arrays


def unpickle_arrays(data: bytes) -> Any:
    """Unpickle arrays in plain containers, as Python 2 wrote them. Raises UnpicklingError for anything else."""
    return _ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            "numpy.core.multiarray._reconstruct": np.empty(0).__reduce__()[0],
            "numpy.ndarray": np.ndarray,
            "numpy.dtype": np.dtype,
        }
        if f"{module}.{name}" not in allowed:
            raise pickle.UnpicklingError(f"the pickle refers to {module}.{name}, which is not part of an array")
        return allowed[f"{module}.{name}"]
