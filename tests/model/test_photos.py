"""The shipped model on photos as people send them: the same answer in any format, and unsure of outliers."""

import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import sklearn.datasets
from PIL import Image

import model_loader
from experiments.data import datasets, specs
from experiments.data.specs import Split
from experiments.data.synthesis.outlier_photos import draw_outlier_photos
from serving.prediction.predict import predict_images
from serving.prediction.prepare import Wanted, prepare_picture
from settings import ROOT, Settings


@pytest.fixture(scope="module")
def classifier(tmp_path_factory) -> model_loader.Classifier:
    settings = Settings(_env_file=None, models_dir=ROOT / "models", artifact_dir=tmp_path_factory.mktemp("none"))
    return model_loader.load("cifar10", settings)


@pytest.fixture(scope="module")
def photos() -> Split:
    """100 of the official test photos."""
    try:
        test = datasets.load("cifar10", Settings().data_dir).test
    except datasets.DatasetError as error:
        pytest.skip(f"CIFAR-10 is not in DEMO_DATA_DIR and can't be downloaded: {error}")
    return Split(test.images[:100], test.labels[:100])


def sent(photo: np.ndarray, kind: str, **options: object) -> bytes:
    """Enlarged to a phone's shape with something at both sides, and encoded."""
    large = Image.fromarray(photo).resize((384, 384), Image.Resampling.BICUBIC)
    sheet = Image.new("RGB", (512, 384), "grey")
    sheet.paste(large, (64, 0))
    buffer = io.BytesIO()
    sheet.save(buffer, kind, **options)
    return buffer.getvalue()


def read(classifier, photo: bytes):
    (answer,) = predict_images(classifier, [prepare_picture(Wanted("cifar10"), [photo]).image])
    return answer


def test_a_photo_gets_the_same_answer_in_any_format(classifier, photos) -> None:
    kinds = [("PNG", {}), ("WEBP", {"quality": 90, "method": 0}), ("JPEG", {"quality": 90})]
    labels = np.array(
        [[read(classifier, sent(photo, kind, **options)).label for photo in photos.images] for kind, options in kinds]
    )
    assert (labels[1:] == labels[0]).mean() >= 0.97
    truth = np.array(specs.SPECS["cifar10"].class_names)[photos.labels]
    assert (labels == truth).mean() >= 0.9


def test_it_is_unsure_of_what_the_project_mixes_of_photos(classifier, photos) -> None:
    outliers = draw_outlier_photos(photos, np.random.default_rng(3))
    assert np.mean([answer.verdict == "unsure" for answer in classifier.predict(outliers)]) >= 0.95


@pytest.mark.parametrize(
    "photo",
    [
        Path(sklearn.datasets.__file__).parent / "images" / "china.jpg",  # a palace
        Path(mpl.get_data_path()) / "sample_data" / "grace_hopper.jpg",  # a portrait
    ],
    ids=lambda path: path.stem,
)
def test_it_is_unsure_of_real_photos_of_none_of_the_classes(classifier, photo: Path) -> None:
    assert read(classifier, photo.read_bytes()).verdict == "unsure"
