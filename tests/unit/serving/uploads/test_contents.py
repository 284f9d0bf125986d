import gzip
import io
import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from serving.core.errors import Refused
from serving.uploads.arrays import gunzipped
from serving.uploads.contents import Contents
from serving.uploads.zips import Archive, Limits, UploadedFile
from tests.helpers.pictures import png

DIGITS = tuple("0123456789")
LIMITS = Limits(files=20, file_mb=1, total_mb=4)
LABELS = np.array([7, 2, 1, 0, 4], np.uint8)
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def packed(content):
    return gzip.compress(content, mtime=0)


def table(array, labels=None, heading=None, labels_last=False):
    rows = [list(map(str, row)) for row in array.reshape(len(array), -1)]
    if labels is not None:
        rows = [
            [*row, str(label)] if labels_last else [str(label), *row] for row, label in zip(rows, labels, strict=True)
        ]
    return "\n".join(map(",".join, [heading, *rows] if heading else rows)).encode()


KAGGLE = [f"pixel{number}" for number in range(784)]


def opened(files, answers=None, limits=LIMITS):
    """Pictures, errors by name, and labels."""
    files = files if isinstance(files, Archive) else [UploadedFile(name, content) for name, content in files]
    contents = Contents(files, limits)
    pictures = list(contents)
    names = [picture.name for picture in pictures]
    labels = contents.labels(names, DIGITS, answers or [""] * len(names))
    usable = [pixels(picture.content) for picture in pictures if not picture.error]
    return usable, {picture.name: str(picture.error) for picture in pictures if picture.error}, labels


def pixels(content):
    """None for what was passed on as it is and is no picture."""
    return np.asarray(Image.open(io.BytesIO(content))) if content.startswith(b"\x89PNG") else None


def assert_read(files, labels="72104"):
    pictures, errors, found = opened(files)
    assert errors == {}
    np.testing.assert_array_equal(np.array(pictures), IMAGES)
    assert "".join(found.labels) == labels
    assert found.faults == {}
    assert found.notes
    return found


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_idx_files_are_read(is_packed, turned):
    pack, ending = (packed, ".gz") if is_packed else (bytes, "")
    files = [
        ("train-images-idx3-ubyte" + ending, pack(idx(IMAGES))),
        ("train-labels-idx1-ubyte" + ending, pack(idx(LABELS))),
        ("t10k-labels-idx1-ubyte" + ending, pack(idx(LABELS[::-1]))),
    ]
    assert_read(files[::-1] if turned else files)


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_train": IMAGES, "y_train": LABELS, "y_test": LABELS[:2]},
        {"images": IMAGES, "labels": LABELS},
        {"data": IMAGES.reshape(5, 784), "target": LABELS.astype(str)},
        {"arr_0": IMAGES / 255, "arr_1": LABELS.astype(float)},
        {"X": np.asfortranarray(IMAGES[..., None]), "y": np.eye(10)[LABELS]},
        {"x": (IMAGES / 127.5 - 1).astype(np.float32), "y": LABELS[:, None]},
    ],
)
def test_arrays_of_numpy_are_read(arrays):
    assert_read(Archive(io.BytesIO(npz(**arrays)), LIMITS))
    assert_read([(f"{name}.npy", npy(array)) for name, array in arrays.items()])


def test_emnist_is_turned_upright():
    turned = IMAGES.swapaxes(1, 2)
    assert_read([("emnist-digits-images-idx3-ubyte", idx(turned)), ("emnist-digits-labels-idx1-ubyte", idx(LABELS))])
    assert_read([("emnist-mnist-test.csv", table(turned, LABELS))])


def test_pictures_without_labels_are_read_and_numbers_of_them_are_no_labels():
    found = assert_read([("t10k-images-idx3-ubyte", idx(IMAGES))], "")
    assert "no array was sent with its labels" in found.notes[1]
    assert_read([("test.csv", table(IMAGES, heading=KAGGLE))], "")


@pytest.mark.parametrize(
    "content",
    [
        table(IMAGES, LABELS, ["label", *KAGGLE]),
        table(IMAGES, LABELS),
        table(IMAGES, LABELS, labels_last=True),
        table(IMAGES, LABELS, [*KAGGLE, "class"], labels_last=True),
        table(IMAGES, LABELS).replace(b",", b";"),
        table(IMAGES, LABELS, ["label", *(f"{row}x{column}" for row in range(1, 29) for column in range(1, 29))]),
        table(np.c_[range(5), LABELS, IMAGES.reshape(5, -1)], None, ["", "label", *KAGGLE]),
        packed(table(IMAGES, LABELS, ["label", *KAGGLE])),
    ],
)
def test_tables_of_pixels_are_read(content):
    assert_read([("train.csv.gz" if content.startswith(b"\x1f") else "train.csv", content)])


def test_a_row_that_is_no_picture_is_named_and_spoils_nothing():
    content = table(IMAGES, LABELS, ["label", *KAGGLE]) + b"\n7,a" + b",0" * 783 + b"\n7,8\n"
    pictures, errors, _ = opened([("train.csv", content)])
    assert len(pictures) == 5
    assert list(errors) == ["train.csv #6", "train.csv #7"]


def test_of_too_many_the_first_are_read_and_it_is_said():
    many = np.repeat(IMAGES, 5, axis=0)
    for name, content in (("a.npy", npy(many)), ("train.csv", table(many, heading=KAGGLE))):
        pictures, _, labels = opened([(name, content), ("b.png", png(1))])
        assert len(pictures) == 21
        assert "Only the first were read: up to 20" in labels.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("mnist.pkl", pickle.dumps([1]), "pickle"),
        ("mnist.pkl.gz", packed(pickle.dumps([1])), "pickle"),
        ("model.pt", b"PK", "pickle"),
        ("objects.npy", npy(np.array([{}]), allow_pickle=True), "pickled"),
        ("train.parquet", b"PAR1....", "Parquet"),
        ("labels.xls", b"\xd0\xcf\x11\xe0....", "Excel"),
        ("mnist.tar.gz", packed(bytes(257) + b"ustar" + bytes(300)), "tar"),
        ("a.npy", npy(IMAGES)[:-1], "damaged"),
        ("a.npy", b"\x93NUMPY\x01\0v\0{'descr': 'u1', 'fortran_order': False, 'shape': (10**12,)}", "damaged"),
        ("a.npy", npy(np.zeros((2, 3, 4, 5))), "shape"),
        ("a.npy", npy(np.full((1, 28, 28), np.nan)), "not finite"),
        ("images-idx3-ubyte", idx(IMAGES)[:-1], "damaged"),
        ("images-idx3-ubyte", b"\0\0\x08\x03\xff", "damaged"),
        ("a.gz", packed(b"x")[:-4], "damaged"),
        ("a.gz", packed(bytes(5 << 20)), "too large"),
        ("train.csv", b"label,pixel0\n7,0\n", "1 pixels"),
    ],
)
def test_what_is_not_read_is_refused_in_words(name, content, reason):
    pictures, errors, _ = opened([(name, content), ("b.png", png(1))])
    assert len(pictures) == 1
    assert reason in errors[name]


def test_all_that_is_packed_shares_a_bound():
    _, errors, _ = opened([(f"{number}.gz", packed(bytes(3 << 20))) for number in range(3)])
    assert "too large together" in errors["1.gz"]
    assert "too large together" in errors["2.gz"]
    with pytest.raises(Refused, match="too large"):
        gunzipped(packed(b"x"), 0)


def test_what_systems_add_is_passed_over():
    pictures, errors, labels = opened(
        [("7_a.png", png(1)), (".DS_Store", b"Bud1"), ("._7_a.png", b""), ("Thumbs.db", b"")]
    )
    assert (len(pictures), errors, labels.labels) == (1, {}, ["7"])


def test_a_table_of_labels_goes_before_names():
    files = [
        ("1_a.png", png(1)),
        ("1_b.png", png(2)),
        ("labels.csv", b"1_a.png,7\n1_b.png,eleven"),
        ("readme.txt", b"hi"),
    ]
    _, _, labels = opened(files)
    assert labels.labels == ["7", ""]
    assert "'eleven' is no label" in labels.faults["1_b.png"]
    assert "labels.csv (UTF-8, separated by commas)" in labels.notes[0]
    with pytest.raises(Refused, match="several CSV"):
        opened([*files, ("more.csv", b"1_a.png,7")])


def test_a_text_is_a_table_of_labels_if_it_holds_some():
    _, _, labels = opened([("1_a.png", png(1)), ("README.txt", b"hello"), ("list.txt", b"1_a.png 7\n")])
    assert labels.labels == ["7"]
    _, _, labels = opened([("1_a.png", png(1)), ("README.txt", b"1_a.png is one\n")])
    assert labels.labels == ["1"]


def test_labels_in_names_are_doubted():
    _, _, labels = opened([(f"IMG_{number}.png", png(number)) for number in (3, 5, 8)], ["7", "7", "7"])
    assert labels.doubted
    assert "seem to carry no labels" in labels.notes[-1]


KINDS = st.sampled_from(
    [
        npy(IMAGES[:2]),
        npy(LABELS),
        idx(IMAGES[:2]),
        idx(LABELS),
        table(IMAGES[:2], LABELS[:2]),
        packed(idx(LABELS)),
        b"",
    ]
)
NAMES = st.sampled_from(["x_train.npy", "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t.csv", "t.txt", "a.gz"])


@given(st.lists(st.tuples(NAMES, KINDS, st.binary(max_size=8), st.integers(0, 200)), max_size=4))
def test_any_bytes_become_pictures_or_errors_in_words(files):
    changed = [(name, content[:at] + new + content[at + len(new) :]) for name, content, new, at in files]
    try:
        pictures, errors, labels = opened(changed)
    except Refused:
        return
    assert len(pictures) <= LIMITS.files
    assert all(errors.values())
    assert len(labels.labels) >= len(pictures) + len(errors)
    assert set(labels.labels) <= {*DIGITS, ""}
