import time
from dataclasses import replace

import numpy as np
import pytest

from experiments.inference import drift_reference
from serving.learning.drift import answered_in, compare, drift_of_last_day
from serving.storage.database import Database
from serving.storage.history import History
from tests.helpers.entries import entry

NAMES = tuple("0123456789")
SHAPE = (28, 28, 1)


def bars(count, seed, width=3):
    """uint8 [N, 28, 28, 1]: upright bars about so wide, of any length."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, *SHAPE), np.uint8)
    for image in images:
        thick, length = width + rng.integers(0, 2), rng.integers(10, 21)
        image[4 : 4 + length, 10 : 10 + thick] = rng.integers(200, 256)
    return images


def outputs(count, seed, favourite=None, low=0.9):
    """float32 [N, 11]: confident of any class alike, or half of the time of a favourite one."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count)
    if favourite is not None:
        labels[: count // 2] = favourite
    probabilities = np.zeros((count, 11), np.float32)
    probabilities[np.arange(count), labels] = rng.uniform(low, low + 0.09, count)
    return probabilities


def answered(images, probabilities, at=1000.0):
    return [
        entry(n, image=image.tobytes(), label=NAMES[p[:10].argmax()], confidence=float(p[:10].max()), answered_at=at)
        for n, (image, p) in enumerate(zip(images, probabilities, strict=True))
    ]


def answers_in(entries):
    return [answer for entry in entries for answer in answered_in(entry, SHAPE)]


@pytest.fixture(scope="module")
def reference():
    return drift_reference.measure(bars(3000, 0), outputs(3000, 0), 10)


def drifted(reference, images, probabilities):
    findings = compare(reference, answers_in(answered(images, probabilities)), SHAPE, NAMES)
    return {finding.measure for finding in findings if finding.drifted}


@pytest.mark.parametrize("count", [100, 2000])
@pytest.mark.parametrize("seed", range(1, 6))
def test_ordinary_traffic_is_no_drift(reference, count, seed):
    assert drifted(reference, bars(count, seed), outputs(count, seed)) == set()


def test_a_shift_is_found_and_named(reference):
    assert drifted(reference, bars(300, 1, width=7), outputs(300, 1)) == {"ink", "stroke width"}
    assert drifted(reference, bars(300, 1), outputs(300, 1, favourite=4)) == {"labels"}
    assert drifted(reference, bars(300, 1), outputs(300, 1, low=0.5)) == {"confidence"}


def test_a_difference_too_small_to_matter_is_none_however_sure_it_is(reference):
    images = bars(5000, 2)
    images[:600] = bars(600, 3, width=4)
    findings = compare(reference, answers_in(answered(images, outputs(5000, 2))), SHAPE, NAMES)
    by_measure = {finding.measure: finding for finding in findings}
    assert by_measure["stroke width"].p < 0.05
    assert not by_measure["stroke width"].drifted


def test_photos_are_told_by_brightness_and_contrast():
    photos = np.random.default_rng(0).integers(0, 256, (50, 32, 32, 3), np.uint8)
    assert set(drift_reference.image_statistics(photos)) == {"brightness", "contrast"}
    assert (
        drift_reference.image_statistics(photos // 2)["brightness"].mean()
        < drift_reference.image_statistics(photos)["brightness"].mean()
    )


def test_stroke_width_is_in_pixels():
    assert drift_reference.image_statistics(bars(50, 0, width=4))["stroke width"].mean() == pytest.approx(4.5, abs=1)


def test_the_last_day_is_told_in_words(tmp_path, classifier, reference):
    database = Database(f"sqlite:///{tmp_path / 'history.db'}")
    history, model = History(database), type(classifier)()
    model.bundle = replace(classifier.bundle, folder=tmp_path)
    assert "without a reference" in drift_of_last_day(history, model)[1]
    drift_reference.write(reference, tmp_path)
    assert "Only 0 answers" in drift_of_last_day(history, model)[1]
    history.add(answered(bars(200, 1, width=7), outputs(200, 1), at=time.time()))
    findings, verdict = drift_of_last_day(history, model)
    assert verdict.startswith("Drift in the newest 200 answers")
    assert "stroke width is higher" in verdict
    assert len(findings) == 4
    database.close()


def test_a_number_is_compared_by_its_digits_but_for_their_confidence(reference):
    digits = answered(bars(300, 1), outputs(300, 1))
    rows = [digits[start : start + 3] for start in range(0, 300, 3)]
    numbers = [
        entry(n, label="\n".join(one.label for one in row), image=b"".join(one.image for one in row), confidence=0.1)
        for n, row in enumerate(rows)
    ]
    numbers += [entry(300, label="", verdict="rejected", image=bytes(3 * 784)), entry(301, label="", image=None)]
    numbers.append(entry(302, label="7?", image=digits[0].image + bytes(784)))
    answers = answers_in(numbers)
    assert [answer.label for answer in answers] == [*(one.label for one in digits), "7"]
    assert answers[5].image == digits[5].image
    findings = compare(reference, answers, SHAPE, NAMES)
    assert [finding.measure for finding in findings] == ["labels", "ink", "stroke width"]
    assert not any(finding.drifted for finding in findings)
    mixed = compare(reference, answers_in(numbers + digits), SHAPE, NAMES)
    assert "confidence" in {finding.measure for finding in mixed}
