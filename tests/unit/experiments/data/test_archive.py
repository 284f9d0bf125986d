"""Data are verified, and the cache is whole or absent, whatever sources and disk do."""

import contextlib
import dataclasses
import hashlib
import io
import re
import resource
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.data.archive import Archive, Composition, DatasetError, Source, digest, idx_sha256, obtain

GENUINE = {
    "x_train": np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2),
    "y_train": np.array([0, 1, 2, 0, 1, 2], np.uint8),
    "x_test": np.full((3, 2, 2), 255, np.uint8),
    "y_test": np.array([2, 1, 0], np.uint8),
}
FORGED = GENUINE | {"y_test": np.array([2, 1, 1], np.uint8)}


def archive_of(*sources: Source) -> Archive:
    hashes = {name: idx_sha256(array) for name, array in GENUINE.items()}
    return Archive("tiny.npz", hashes, sources, by_hand="https://example.org/tiny.tgz", by_hand_as="tiny.tar.gz")


def giving(arrays: Mapping[str, np.ndarray]) -> Source:
    return Source("giver", lambda: arrays)


def failing(error: BaseException, name: str = "failing") -> Source:
    def fetch() -> Mapping[str, np.ndarray]:
        raise error

    return Source(name, fetch)


def cache_bytes() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **GENUINE)
    return buffer.getvalue()


def assert_genuine(arrays: Mapping[str, np.ndarray]) -> None:
    assert arrays.keys() == GENUINE.keys()
    for name, array in GENUINE.items():
        np.testing.assert_array_equal(arrays[name], array)


def names_in(folder: Path) -> Sequence[str]:
    return [path.name for path in folder.iterdir()]


def test_idx_sha256_is_that_of_the_file_format() -> None:
    published = bytes.fromhex("00000802 00000002 00000003 010203040506")
    assert idx_sha256(np.array([[1, 2, 3], [4, 5, 6]], np.uint8)) == hashlib.sha256(published).hexdigest()


def test_the_second_time_comes_from_the_cache_alone(tmp_path: Path) -> None:
    assert_genuine(obtain(archive_of(giving(GENUINE)), tmp_path / "new" / "data"))
    assert_genuine(obtain(archive_of(), tmp_path / "new" / "data"))
    assert names_in(tmp_path / "new" / "data") == ["tiny.npz"]


def test_a_file_put_there_by_hand_serves(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "tiny.npz", **GENUINE, notes=np.array(["of no use"]))
    assert_genuine(obtain(archive_of(), tmp_path))


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        (FORGED, "y_test is not the original data"),
        ({"x_train": GENUINE["x_train"]}, "no array y_train"),
        (GENUINE | {"x_train": GENUINE["x_train"].astype(float)}, "no array x_train of 8-bit values"),
        (GENUINE | {"x_train": GENUINE["x_train"].reshape(6, 4)}, "x_train is not the original data"),
    ],
)
def test_a_source_with_other_data_is_passed_over(
    arrays: Mapping[str, np.ndarray], reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert_genuine(obtain(archive_of(giving(arrays), giving(GENUINE)), tmp_path))
    assert reason in caplog.text
    assert_genuine(obtain(archive_of(), tmp_path))


def test_the_error_lists_every_attempt_and_what_to_do(tmp_path: Path) -> None:
    archive = archive_of(
        failing(OSError("no route to host"), "first host"),
        failing(TimeoutError(), "second host"),
        giving(FORGED),
    )
    with pytest.raises(DatasetError) as caught:
        obtain(archive, tmp_path)
    text = str(caught.value)
    for reason in ("first host: no route to host", "second host: TimeoutError", "giver: y_test is not"):
        assert reason in text
    assert f"Download {archive.by_hand}" in text
    assert f"save it as {tmp_path / 'tiny.tar.gz'}" in text
    assert names_in(tmp_path) == []


def test_a_truncated_cache_is_named_removed_and_fetched_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = tmp_path / "tiny.npz"
    cache.write_bytes(cache_bytes()[:-100])
    with pytest.raises(DatasetError):
        obtain(archive_of(), tmp_path)
    assert str(cache) in caplog.text
    assert not cache.exists()
    assert_genuine(obtain(archive_of(giving(GENUINE)), tmp_path))
    assert_genuine(obtain(archive_of(), tmp_path))


@given(
    st.one_of(
        st.binary(max_size=300),
        st.integers(0, len(cache_bytes())).map(lambda end: cache_bytes()[:end]),
        st.tuples(st.integers(0, len(cache_bytes()) - 1), st.integers(0, 255)).map(
            lambda edit: cache_bytes()[: edit[0]] + bytes([edit[1]]) + cache_bytes()[edit[0] + 1 :]
        ),
    )
)
def test_whatever_the_cache_holds_the_data_are_genuine(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tiny.npz").write_bytes(content)
        assert_genuine(obtain(archive_of(giving(GENUINE)), Path(folder)))
        assert_genuine(obtain(archive_of(), Path(folder)))


def test_a_cache_that_cannot_be_removed_is_reported(tmp_path: Path) -> None:
    (tmp_path / "tiny.npz").mkdir()
    with pytest.raises(DatasetError, match=r"can't be removed .* Remove it by hand"):
        obtain(archive_of(giving(GENUINE)), tmp_path)


def test_an_interrupted_download_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        obtain(archive_of(failing(KeyboardInterrupt()), giving(GENUINE)), tmp_path)
    assert names_in(tmp_path) == []


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_costs_the_cache_but_not_the_data(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with files_of_at_most(500):
        assert_genuine(obtain(archive_of(giving(GENUINE)), tmp_path))
    assert "can't be kept" in caplog.text
    assert names_in(tmp_path) == []


def test_two_at_once_leave_one_sound_cache(tmp_path: Path) -> None:
    both_fetching = threading.Barrier(2, timeout=30)

    def fetch() -> Mapping[str, np.ndarray]:
        both_fetching.wait()
        return GENUINE

    archive = archive_of(Source("slow", fetch))
    results: list[Mapping[str, np.ndarray]] = []
    threads = [threading.Thread(target=lambda: results.append(obtain(archive, tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for arrays in results:
        assert_genuine(arrays)
    assert len(results) == 2
    assert names_in(tmp_path) == ["tiny.npz"]
    assert_genuine(obtain(archive_of(), tmp_path))


def test_the_digest_names_the_data() -> None:
    assert digest(GENUINE) == digest(dict(GENUINE))
    assert len(digest(GENUINE)) == 64
    assert digest(FORGED) != digest(GENUINE)


def test_another_file_of_the_data_folder_serves_and_a_broken_one_is_passed_over(tmp_path: Path, caplog) -> None:
    def broken(path: Path) -> Mapping[str, np.ndarray]:
        raise ValueError(f"{path.name} is cut off")

    (tmp_path / "tiny.tar").write_bytes(b"")
    (tmp_path / "tiny.zip").write_bytes(b"")
    readers = {"tiny.tar": broken, "tiny.rar": broken, "tiny.zip": lambda _: GENUINE}
    assert_genuine(obtain(dataclasses.replace(archive_of(), readers=readers), tmp_path))
    assert "tiny.tar is cut off" in caplog.text
    assert_genuine(obtain(archive_of(), tmp_path))


SHUFFLE = np.array([3, 1, 5, 0, 2, 4])
SHUFFLED = GENUINE | {name: GENUINE[name][SHUFFLE] for name in ("x_train", "y_train")}
COMPOSITION = Composition((2, 2), classes=3, per_class={"y_train": 2, "y_test": 1})


def counted(*sources: Source) -> Archive:
    """As archive_of, in any order."""
    return dataclasses.replace(archive_of(*sources), composition=COMPOSITION)


def test_any_order_gives_the_same_data(tmp_path: Path) -> None:
    labels = {"y_train": SHUFFLED["y_train"][:, None].astype(np.int64)}  # in the form in which others keep them
    backwards = {name: array[::-1] for name, array in GENUINE.items()}
    one = obtain(counted(giving(backwards)), tmp_path / "one")
    other = obtain(counted(giving(SHUFFLED | labels)), tmp_path / "other")
    for name in GENUINE:
        np.testing.assert_array_equal(one[name], other[name], strict=True)
    assert digest(one) == digest(other)
    pairs = {(tuple(x.ravel()), y) for x, y in zip(one["x_train"], one["y_train"], strict=True)}
    assert pairs == {(tuple(x.ravel()), y) for x, y in zip(GENUINE["x_train"], GENUINE["y_train"], strict=True)}


def test_other_images_are_taken_with_a_warning_if_there_are_as_many(tmp_path: Path, caplog) -> None:
    others = GENUINE | {"x_test": 255 - GENUINE["x_test"]}
    assert digest(obtain(counted(giving(others)), tmp_path)) != digest(obtain(counted(giving(GENUINE)), tmp_path / "b"))
    assert "not the published images" in caplog.text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"x_train": GENUINE["x_train"][:5]}, "x_train has the shape (5, 2, 2), not (6, 2, 2)"),
        ({"y_test": FORGED["y_test"]}, "y_test has [0, 2, 1] images of the classes, not 1 of each of 3"),
        ({"y_train": np.arange(6, dtype=np.uint8)}, "y_train has [1, 1, 1, 1, 1, 1] images of the classes"),
        ({"y_train": GENUINE["y_train"] - 1.0}, "no array y_train of 8-bit values"),
        ({"y_train": GENUINE["y_train"][:0]}, "y_train has [0, 0, 0] images"),
    ],
)
def test_the_wrong_number_of_images_is_reported(changes, reason: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "tiny.npz", **(GENUINE | changes))
    with pytest.raises(DatasetError, match=re.escape(reason)):
        obtain(counted(), tmp_path)
    assert names_in(tmp_path) == ["tiny.npz"], "somebody's own file is left alone"
