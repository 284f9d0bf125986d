"""The digits of a number that the history keeps: one text, and their images one below another."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from experiments.numbers.reading import NO_DIGIT


def digits_of(label: str, image: bytes, shape: tuple[int, int, int]) -> list[tuple[str, bytes]]:
    """Split a kept answer into the label, "" where none is named, and the image of each digit. What is no number is
    one. shape: of one image."""
    size = math.prod(shape)
    images = [image[start : start + size] for start in range(0, len(image), size)]
    if len(images) < 2:
        return [(label, image)]
    labels = ["" if character == NO_DIGIT else character for character in "".join(label.split())]
    if len(labels) != len(images):  # a rejected number has none
        labels = [""] * len(images)
    return list(zip(labels, images, strict=True))


def with_digits(label: str, digits: Sequence[str]) -> str:
    """A number with these digits, as many as it has, in the rows that it has; "" stands for what is no digit."""
    left = iter(digits)
    return "".join(character if character.isspace() else next(left) or NO_DIGIT for character in label)


def label_counts(tally: Mapping[str, int], class_names: Sequence[str]) -> Counter[str]:
    """How often each class was answered, given how often each label was: a number counts each of its digits."""
    counts = Counter[str]()
    for label, count in tally.items():
        for name in [label] if label in class_names else label:
            if name in class_names:
                counts[name] += count
    return counts
