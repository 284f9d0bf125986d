"""CIFAR-10's own archive, whole or unpacked, gives its photos; a broken one says what is wrong."""

import contextlib
import io
import pickle
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.data.pickled import BATCHES, FOLDER, read_archive, read_folder

PHOTOS = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
NAMES = BATCHES["train"] + BATCHES["test"]


def batch(number: int) -> bytes:
    """Two photos as the authors' pickles hold them: planes one after the other, labels as a list."""
    planes = PHOTOS[2 * number : 2 * number + 2].transpose(0, 3, 1, 2).reshape(2, 3072)
    pickled = pickle.dumps({"data": planes, "labels": [number, 9], "filenames": ["a.png", "b.png"]}, protocol=3)
    return pickled.replace(b"numpy._core.", b"numpy.core.")  # as numpy named it when they were made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir()
    for number, name in enumerate(NAMES):
        (tmp_path / FOLDER / name).write_bytes(batch(number))
    return tmp_path / FOLDER


@pytest.fixture
def archive(folder: Path) -> Path:
    path = folder.parent / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, FOLDER)
    return path


@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_photos_and_labels_come_out_as_they_went_in(kind: str, folder: Path, archive: Path) -> None:
    arrays = read_folder(folder) if kind == "folder" else read_archive(archive)
    np.testing.assert_array_equal(arrays["x_train"], PHOTOS[:10])
    np.testing.assert_array_equal(arrays["x_test"], PHOTOS[10:])
    assert arrays["y_train"].tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert arrays["y_test"].tolist() == [5, 9]
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.uint8)}


def test_a_missing_batch_is_named(folder: Path) -> None:
    path = folder.parent / "short.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(folder / "data_batch_1", f"{FOLDER}/data_batch_1")
    with pytest.raises(FileNotFoundError, match="data_batch_2"):
        read_archive(path)


def test_a_batch_that_runs_code_is_refused(tmp_path: Path) -> None:
    harm = b"cos\nsystem\n(S'false'\ntR."
    with tarfile.open(tmp_path / "harm.tar", "w") as tar:
        for name in NAMES:
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(harm)
            tar.addfile(member, io.BytesIO(harm))
    with pytest.raises(pickle.UnpicklingError, match="not part of an array"):
        read_archive(tmp_path / "harm.tar")


@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), cut=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_is_an_error_or_still_has_its_photos(
    archive: Path, place: float, byte: int, cut: bool
) -> None:
    content = bytearray(archive.read_bytes())
    at = int(place * len(content))
    content[at] = byte
    path = archive.with_name("damaged.tar.gz")
    path.write_bytes(content[:at] if cut else content)
    # The kinds that obtain() passes over, telling why, before it asks the next source.
    with contextlib.suppress(OSError, EOFError, tarfile.TarError, zlib.error, pickle.UnpicklingError):
        assert read_archive(path)["x_train"].shape == PHOTOS[:10].shape
