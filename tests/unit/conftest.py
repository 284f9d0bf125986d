"""A tiny model, trained on nothing, as Keras gives it and as a bundle; and an empty MLflow store."""

import shutil

import numpy as np
import pytest

from experiments import bundle as bundles
from experiments.datasets import DatasetSpec
from experiments.tracking import Store

SPEC = DatasetSpec(
    name="dots",
    image_shape=(8, 6, 1),
    class_names=("none", "one", "many"),
    registered_model="Dots_Best_Model",
    prepare=lambda pixels: pixels.astype(np.uint8) if pixels.any() else None,
)
METRICS = {"test_accuracy": 0.9375, "validation_accuracy": 0.95}


LIBRARIES_AMONG_THEMSELVES = (
    "__array__ implementation doesn't accept a copy",  # Keras hands TensorFlow's variables to NumPy 2
    "The ``noload`` loader strategy",  # MLflow asks SQLAlchemy 2.1 so
    ".*Any type hint is inferred as AnyType",  # MLflow of its own type hints
)


def pytest_configure(config):
    for message in LIBRARIES_AMONG_THEMSELVES:
        config.addinivalue_line("filterwarnings", f"ignore:{message}")


@pytest.fixture
def spec():
    return SPEC


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(0).integers(0, 256, (100, *SPEC.image_shape), dtype=np.uint8)


@pytest.fixture(scope="session")
def keras_model(images):
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(SPEC.image_shape),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, np.arange(len(images)) % 3, verbose=0)
    return model


@pytest.fixture(scope="session")
def exported(keras_model, images, tmp_path_factory):
    from experiments.export import export

    return export(
        keras_model,
        tmp_path_factory.mktemp("exported") / "bundle",
        spec=SPEC,
        metrics=METRICS,
        run_id="run-of-export",
        data_digest="0" * 64,
        trained_at="2026-11-21T20:00:00+00:00",
        sample_images=images,
    )


@pytest.fixture
def bundle(exported, tmp_path):
    """A copy of its own for a test that damages it."""
    return bundles.read(shutil.copytree(exported.folder, tmp_path / "bundle"))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Made once: MLflow's migrations take longer than a test."""
    folder = tmp_path_factory.mktemp("store")
    Store(f"sqlite:///{folder / 'mlflow.db'}", folder / "mlartifacts")
    return folder / "mlflow.db"


@pytest.fixture
def store(empty_database, tmp_path):
    shutil.copyfile(empty_database, tmp_path / "mlflow.db")
    return Store(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "mlartifacts")
