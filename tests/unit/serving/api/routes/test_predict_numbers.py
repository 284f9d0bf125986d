import pytest

from serving.api.schemas import BatchAnswer, PredictAnswer
from tests.helpers.api import PNG, assert_refused
from tests.helpers.numbers import SevensClassifier, sevens


@pytest.fixture
def sevens_client(api, opened, classifier, settings):
    return api(opened(SevensClassifier(classifier.bundle), settings))


@pytest.mark.parametrize("query", ["", "?expect=auto", "?expect=number"])
def test_a_number_is_read_with_each_of_its_digits(sevens_client, query):
    reply = sevens_client.post(f"/api/predict{query}", content=sevens(2, 3), headers=PNG)
    answer = PredictAnswer.model_validate_json(reply.content)
    assert answer.label == answer.text == "77\n777"
    assert (answer.confidences, answer.candidates) == ({}, [])
    assert [digit.label for digit in answer.digits] == ["7"] * 5
    assert [digit.verdict for digit in answer.digits] == ["sure"] * 5
    assert answer.digits[-1].box == [170, 120, 210, 180]
    assert 0.9 < answer.confidence <= answer.digits[0].confidence


def test_a_sole_digit_is_answered_alike_whatever_is_expected(sevens_client, sheet_png):
    for picture, label in ((sevens(1), "7"), (sheet_png, None)):
        answers = [
            sevens_client.post("/api/predict", content=picture, headers=PNG, params=params).json()
            for params in ({}, {"expect": "digit"}, {"expect": "number"})
        ]
        assert {answer["label"] for answer in answers} == {answer["text"] for answer in answers} == {label}
        assert [len(answer["confidences"]) for answer in answers] == [10] * 3
        for answer in answers:
            boxes = [(digit["label"], digit["box"]) for digit in answer["digits"]]
            assert boxes == ([("7", pytest.approx([30, 30, 70, 90], abs=1))] if label else [])


def test_who_expects_one_digit_is_refused_several(sevens_client):
    answer = sevens_client.post("/api/predict?expect=digit", content=sevens(2), headers=PNG).json()
    assert (answer["label"], answer["text"], answer["verdict"], answer["digits"]) == (None, None, "rejected", [])
    files = [("images", ("a.png", sevens(2))), ("images", ("b.png", sevens(1)))]
    for expect, labels in (("digit", [None, "7"]), ("auto", ["77", "7"])):
        reply = sevens_client.post("/api/predict/batch", files=files, params={"expect": expect})
        readings = [result.reading for result in BatchAnswer.model_validate_json(reply.content).results]
        assert [reading.text for reading in readings] == labels
        assert [len(reading.digits) for reading in readings] == [2 if expect == "auto" else 0, 1]


@pytest.mark.parametrize("path", ["/api/predict", "/api/predict/batch"])
def test_what_is_expected_is_one_of_three(sevens_client, seven_png, path):
    error = assert_refused(
        sevens_client.post(f"{path}?expect=letters", content=seven_png, headers=PNG), 422, "wrong_shape"
    )
    assert "expect" in error.message
    assert "digit" in error.message


def test_photos_have_no_numbers(api, photo_png):
    client = api()
    for expect in ("digit", "number", "auto"):
        query = {"dataset": "cifar10", "expect": expect}
        assert client.post("/api/predict", content=photo_png, headers=PNG, params=query).json()["text"] == "horse"
