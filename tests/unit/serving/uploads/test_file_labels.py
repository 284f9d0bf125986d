import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.uploads.file_labels import class_in, label_in, labels_in, labels_in_cells, number_in, seem_wrong

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


@pytest.mark.parametrize(
    "text",
    ["7", " 7 ", "07", "7.0", "7,0", "seven", "Seven", "class_7", "digit-7", "label=7", "7 - seven", "'7'", "Digit 07"],
)
def test_a_text_names_a_class(text):
    assert class_in(text, DIGITS) == "7"
    assert labels_in([f"{text}/IMG_0001.png"], DIGITS) == ["7"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "-7",
        "7.5",
        "fold_7",
        "3-7",
        "77",
        "sevenths",
        "\N{ARABIC-INDIC DIGIT SEVEN}",
        "9" * 5000,
        "class",
        "²",
    ],
)
def test_another_text_names_none(text):
    assert class_in(text, DIGITS) == ""


def test_classes_in_words_may_have_a_number():
    assert class_in("class_horse", PHOTOS) == "horse"
    assert class_in("7", PHOTOS) == ""


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["digit7_0", "digit7_1", "digit7_2"], "777"),
        (["0_5", "11_5", "2_5"], "555"),
        (["0_5", "1_5", "2_5"], "555"),
        (["0_7", "1_2", "2_1", "3_0", "4_4"], "72104"),
        (["00000_7", "00001_2"], "72"),
        (["7_0", "7_1", "3_0", "3_1"], "7733"),
        (["image_7_0", "image_7_1"], "77"),
        (["test_0_label_7", "test_1_label_2"], "72"),
        (["seven_1", "three_2"], "73"),
        (["7", "7 (1)", "7 (2)"], "777"),
    ],
)
def test_of_several_numbers_that_is_the_label_which_is_one_everywhere_and_does_not_count(names, labels):
    assert labels_in([f"{name}.png" for name in names], DIGITS) == list(labels)


@pytest.mark.parametrize(
    "names", [["IMG_2031", "IMG_2032"], ["IMG_0001", "IMG_0002"], ["scan0", "scan1"], ["0", "1", "2"]]
)
def test_a_run_carries_no_labels(names):
    names = [f"{name}.png" for name in names]
    assert set(labels_in(names, DIGITS)) == {""}
    assert set(labels_in(names, DIGITS, ["7"] * len(names))) == {""}


def test_a_run_carries_labels_if_the_model_says_so():
    assert labels_in([f"{digit}.png" for digit in DIGITS], DIGITS, list("0123456189")) == list(DIGITS)


def test_folders_of_writers_are_no_labels():
    names = [f"{writer}/{digit}_{n}.png" for writer in range(1, 31) for digit in (3, 7) for n in range(2)]
    assert set(labels_in(names, DIGITS)) == {"3", "7"}
    assert labels_in(["0/a.png", "1/a.png", "10/a.png", "11/a.png"], DIGITS) == ["0", "1", "", ""]


def test_labels_are_doubted_where_nearly_all_sure_answers_are_others():
    assert seem_wrong(["3"] * 10, [*"777777777", "3"])
    assert seem_wrong(["4"], ["7"])
    assert not seem_wrong(["4"], [""])
    assert not seem_wrong(["3"] * 10, ["7"] * 5 + ["3"] * 5)
    assert not seem_wrong(["", "3"], ["7", ""])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("42", "42"),
        (" 1984.0", "1984"),
        ("'007'", "007"),
        ("42 17", "42\n17"),
        ("42\n17", "42\n17"),
        ("7", "7"),
        ("3.14", ""),
        ("-42", ""),
        ("4x2", ""),
        ("\u0664\u0662", ""),
        ("", ""),
        (" ", ""),
    ],
)
def test_a_number_in_digits(text, number):
    assert number_in(text, DIGITS) == number
    assert number_in(text, PHOTOS) == ""
    assert label_in(text, DIGITS, numbers=False) == class_in(text, DIGITS)


@pytest.mark.parametrize(
    "names",
    [
        ["42_001.png", "17_002.png", "7_003.png", "305_004.png"],
        ["img_42.png", "img_17.png", "img_7.png", "img_305.png"],
        ["42/a.png", "17/b.png", "7/c.png", "305/d.png"],
        ["42_1.png", "17_1.png", "7_1.png", "305_1.png"],
        ["42 (1).png", "17.png", "7.png", "305.png"],
    ],
)
def test_names_may_carry_numbers_where_answers_say_so(names):
    right = ["42", "17", "7", "305"]
    assert labels_in(names, DIGITS, [""] * 4, ["42", "", "7", "3?5"]) == right
    for read in (["", "", "7", ""], ["1\n2", "88", "7", "9"], None):
        assert labels_in(names, DIGITS, [""] * 4, read) != right


def test_numbers_of_a_camera_are_no_labels_of_numbers():
    names = [f"IMG_20240131_{number}.png" for number in range(101500, 101530)]
    assert labels_in(names, DIGITS, [""] * 30, ["42"] * 30) == [""] * 30


@given(st.lists(st.tuples(st.text(max_size=12), st.text("0123456789\n?", max_size=4)), max_size=6))
def test_whatever_names_are_and_answers_say_there_is_a_label_or_none_for_each(pairs):
    names, read = [name for name, _ in pairs], [answer for _, answer in pairs]
    labels = labels_in(names, DIGITS, read, read)
    assert len(labels) == len(names)
    assert all(set(label) <= set("0123456789") for label in labels)


def test_zeros_before_a_number_of_a_table_count_only_among_numbers():
    assert labels_in_cells({"07", "8", "x"}, DIGITS, numbers=True) == {"07": "7", "8": "8", "x": ""}
    cells = {"07", "42", "seven", "x"}
    assert labels_in_cells(cells, DIGITS, numbers=True) == {"07": "07", "42": "42", "seven": "7", "x": ""}
    assert labels_in_cells(cells, DIGITS, numbers=False) == {"07": "7", "42": "", "seven": "7", "x": ""}
