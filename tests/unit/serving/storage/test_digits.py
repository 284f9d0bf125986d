from hypothesis import given
from hypothesis import strategies as st

from serving.storage.digits import digits_of, label_counts, with_digits

SHAPE = (2, 2, 1)
LABELS = st.text("0123456789?\n ", max_size=30)


def images(count):
    return bytes(number // 4 for number in range(4 * count))


def test_a_number_has_a_label_and_an_image_for_each_digit():
    assert digits_of("4?\n2", images(3), SHAPE) == [("4", b"\0\0\0\0"), ("", b"\1\1\1\1"), ("2", b"\2\2\2\2")]
    assert digits_of("7", images(1), SHAPE) == [("7", images(1))]
    assert digits_of("horse", images(1), SHAPE) == [("horse", images(1))]


def test_a_rejected_number_has_images_alone():
    assert [label for label, _ in digits_of("", images(3), SHAPE)] == [""] * 3


@given(LABELS, st.integers(0, 40))
def test_whatever_the_label_no_image_is_lost(label, count):
    digits = digits_of(label, images(count), SHAPE)
    assert b"".join(image for _, image in digits) == images(count)
    assert all(len(name) < 2 for name, _ in digits) or len(digits) == 1


@given(LABELS)
def test_digits_are_exchanged_where_they_stand(label):
    names = ["" if character == "?" else character for character in label if not character.isspace()]
    assert with_digits(label, names) == label
    assert with_digits(label, ["9"] * len(names)).split() == ["9" * len(row) for row in label.split()]


def test_a_number_counts_for_each_of_its_digits():
    tally = {"7": 2, "77\n1?": 3, "": 5, "horse": 1}
    assert label_counts(tally, tuple("0123456789")) == {"7": 8, "1": 3}
    assert label_counts(tally, ("horse", "ship")) == {"horse": 1}
