"""Every route, asked for one data set and for the other."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from serving.api.routes.status import ModelCard, Stats
from serving.api.schemas import BatchAnswer, PredictAnswer
from tests.helpers.api import PNG, assert_refused

DATASET_COUNTED = 'answers_total{dataset="cifar10",label="horse",source="api",verdict="sure"} 1.0'


@pytest.fixture
def client(api):
    return api()


@pytest.fixture
def both(opened, classifier, photo_classifier, settings, tmp_path):
    """Services that have not answered anything yet."""
    return opened(classifier, settings.model_copy(update={"artifact_dir": tmp_path}), photo_classifier)


@pytest.fixture
def digits_only(opened, classifier, settings):
    return opened(classifier, settings)


def test_the_data_set_is_chosen_in_the_query(client, photo_png):
    for reply in (
        client.post("/api/predict?dataset=cifar10", content=photo_png, headers=PNG),
        client.post("/api/predict?dataset=cifar10", files={"image": photo_png}),
    ):
        answer = PredictAnswer.model_validate_json(reply.content)
        assert (answer.label, answer.model.version, answer.confidences["horse"]) == ("horse", "5", 0.9)
    several = {"files": [("images", photo_png)] * 2}
    for query, label in (("?dataset=cifar10", "horse"), ("?dataset=mnist", "7"), ("", "7")):
        answer = BatchAnswer.model_validate_json(client.post(f"/api/predict/batch{query}", **several).content)
        assert [result.reading.label for result in answer.results] == [label] * 2


@pytest.mark.parametrize("path", ["/api/predict", "/api/predict/batch"])
def test_a_data_set_that_is_unknown_or_has_no_model_is_told(client, api, digits_only, photo_png, path):
    assert_refused(client.post(f"{path}?dataset=letters", content=photo_png, headers=PNG), 422, "wrong_shape")
    error = assert_refused(
        api(digits_only).post(f"{path}?dataset=cifar10", content=photo_png, headers=PNG), 503, "no_model"
    )
    assert "cifar10" in error.message


def test_digits_and_photos_asked_together_are_not_confused(client, seven_png, photo_png):
    def ask(number):
        dataset, picture = (("mnist", seven_png), ("cifar10", photo_png))[number % 2]
        return client.post("/api/predict", params={"dataset": dataset}, content=picture, headers=PNG).json()["label"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == ["7", "horse"] * 20


def test_each_data_set_has_its_card_and_figures(operator, both, photo_png):
    client = operator(both)
    client.post("/api/predict?dataset=cifar10", content=photo_png, headers=PNG)
    card = ModelCard.model_validate(client.get("/api/model?dataset=cifar10").json())
    assert (card.name, card.version, card.class_names[7]) == ("Cifar10_Best_Model", "5", "horse")
    assert client.get("/api/ready?dataset=cifar10").json()["model"]["version"] == "5"
    assert Stats.model_validate(client.get("/api/stats?dataset=cifar10").json()).labels == {"horse": 1}
    assert Stats.model_validate(client.get("/api/stats").json()).answers == 0
    assert DATASET_COUNTED in client.get("/metrics").text


@pytest.mark.parametrize("path", ["/api/model", "/api/ready", "/api/stats", "/api/history"])
def test_a_data_set_that_is_unknown_is_told(operator, path):
    reply = operator().get(f"{path}?dataset=letters")
    assert_refused(reply, 422, "wrong_shape")


@pytest.mark.parametrize("path", ["/api/model", "/api/ready"])
def test_a_data_set_without_a_model_is_told(api, digits_only, path):
    reply = api(digits_only).get(f"{path}?dataset=cifar10")
    assert_refused(reply, 503, "no_model")


def test_photos_are_found_by_their_data_set_in_colour(operator, both, photo_png):
    client = operator(both)
    for query in ("", "?dataset=cifar10"):
        client.post(f"/api/predict{query}", content=photo_png, headers=PNG)
    both.recorder.flush()
    assert client.get("/api/history").json()["total"] == 2
    (item,) = client.get("/api/history?dataset=cifar10").json()["items"]
    assert (item["dataset"], item["label"], item["model_version"]) == ("cifar10", "horse", "5")
    with Image.open(io.BytesIO(base64.b64decode(item["image"]))) as image:
        assert (image.size, image.mode, image.getpixel((16, 4))) == ((32, 32), "RGB", (200, 30, 30))
