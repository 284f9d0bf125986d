"""A tiny model, trained on nothing, as Keras gives it and as a bundle; an MLflow store; and projects of them."""

import shutil

import numpy as np
import pytest

from experiments.data.datasets import Dataset
from experiments.data.specs import DatasetSpec, Split
from experiments.inference import bundle as bundles
from experiments.inference.predictions import Thresholds
from experiments.registry import production
from experiments.registry.store import TrackingStore
from settings import Settings

SPEC = DatasetSpec(
    name="dots",
    image_shape=(8, 6, 1),
    class_names=("none", "one", "many"),
    registered_model="Dots_Best_Model",
    things="dots",
    prepare=lambda pixels: pixels.astype(np.uint8) if pixels.any() else None,
)
METRICS = {"test_accuracy": 0.9375, "validation_accuracy": 0.95}


@pytest.fixture(scope="session")
def spec():
    return SPEC


@pytest.fixture(scope="session")
def images():
    return np.random.default_rng(0).integers(0, 256, (100, *SPEC.image_shape), dtype=np.uint8)


@pytest.fixture(scope="session")
def keras_model(images):
    return trained(images, seed=0)


@pytest.fixture(scope="session")
def exported(keras_model, images, tmp_path_factory):
    return exported_as("first", keras_model, images, tmp_path_factory)


@pytest.fixture(scope="session")
def exported_too(images, tmp_path_factory):
    return exported_as("second", trained(images, seed=1), images, tmp_path_factory)


def trained(images, seed):
    import keras

    keras.utils.set_random_seed(seed)
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


def exported_as(name, model, images, tmp_path_factory):
    from experiments.training.export import export

    return export(
        model,
        tmp_path_factory.mktemp(name) / "bundle",
        dataset_of(SPEC, images),
        metrics=METRICS,
        thresholds=Thresholds(sure=0.4, refuse=0.9),
        run_id="run-of-export",
        trained_at="2026-11-21T20:00:00+00:00",
    )


def dataset_of(spec, images):
    """All three splits alike."""
    split = Split(images, np.zeros(len(images), np.int64))
    return Dataset(spec, split, split, split, digest="0" * 64)


@pytest.fixture
def bundle(exported, tmp_path):
    """A copy of its own for a test that damages it."""
    return bundles.read(shutil.copytree(exported.folder, tmp_path / "bundle"))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Made once: MLflow's migrations take longer than a test."""
    folder = tmp_path_factory.mktemp("store")
    TrackingStore(f"sqlite:///{folder / 'mlflow.db'}", folder / "mlartifacts")
    return folder / "mlflow.db"


@pytest.fixture(scope="session")
def store_in(empty_database):
    def store_in(folder):
        shutil.copyfile(empty_database, folder / "mlflow.db")
        return TrackingStore(f"sqlite:///{folder / 'mlflow.db'}", folder / "mlartifacts")

    return store_in


@pytest.fixture
def store(store_in, tmp_path):
    return store_in(tmp_path)


@pytest.fixture
def promote(store, spec):
    """Bring a bundle into Production as the experiments do."""

    def promote(bundle):
        with store.run(spec.name, "a run", "", {}, {}) as log:
            log.log_bundle(bundle.folder)
        return production.promote(store, spec, production.register(store, spec, log.run_id), "test")

    return promote


@pytest.fixture(scope="session")
def settings_in():
    def settings_in(folder):
        places = {
            "models_dir": folder / "models",
            "artifact_dir": folder / "mlartifacts",
            "mlflow_tracking_uri": f"sqlite:///{folder / 'mlflow.db'}",
        }
        return Settings(_env_file=None, **places)

    return settings_in


@pytest.fixture
def settings(tmp_path, exported, settings_in):
    """A project whose shipped bundle is version 7."""
    bundles.install(exported, tmp_path / "models" / "dots", version="7", run_id="shipped-run")
    return settings_in(tmp_path)
