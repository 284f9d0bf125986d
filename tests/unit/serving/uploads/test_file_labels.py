import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.uploads.file_labels import labels_in

DIGITS = tuple("0123456789")
PHOTOS = ("airplane", "automobile", "horse", "truck")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("7/img.png", "7"),
        ("set/7/img-3.png", "7"),
        ("7/old/img.png", "7"),
        ("7_012.png", "7"),
        ("7.png", "7"),
        ("7 (2).png", "7"),
        ("img-7.png", "7"),
        ("img_7.jpeg", "7"),
        ("7_img_3.png", "7"),
        ("img7.png", ""),
        ("77_1x.png", ""),
        ("img-12.png", ""),
        ("scan.7", ""),
        (".png", ""),
        ("", ""),
    ],
)
def test_a_digit_in_folder_or_file_name(name, label):
    assert labels_in([name], DIGITS) == [label]


def test_numbered_files_are_not_taken_for_labelled_ones():
    assert labels_in([f"scan-{i}.png" for i in range(1, 13)], DIGITS) == [""] * 12


def test_labelled_folders_count_beside_files_without_label():
    assert labels_in(["7/a.png", "readme.txt", "3_b.png"], DIGITS) == ["7", "", ""]
    assert labels_in(["7/a.png", "3_b.png"], DIGITS) == ["7", "3"]


def test_classes_may_be_words():
    assert labels_in(["Cat/1.png", "dog_1.png"], ("cat", "dog")) == ["cat", "dog"]
    named = ["test/airplane/0012.png", "my automobile.jpg", "truck-3.webp", "IMG_2041 horse.jpeg"]
    assert labels_in(named, PHOTOS) == ["airplane", "automobile", "truck", "horse"]
    assert labels_in(["airplanes/1.png", "seahorse.png"], PHOTOS) == ["", ""]


@given(st.lists(st.text(max_size=30), max_size=6))
def test_any_names_get_classes_or_nothing(names):
    labels = labels_in(names, DIGITS)
    assert len(labels) == len(names)
    assert set(labels) <= {*DIGITS, ""}
