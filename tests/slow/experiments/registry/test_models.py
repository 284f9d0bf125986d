"""The registry's versions as MLflow loads them, and older registries brought up to date."""

import shutil
import sys

import mlflow
import numpy as np
import pandas as pd
import pytest

from experiments.data.specs import SPECS
from experiments.portable import package, reader
from experiments.registry import models, production
from experiments.registry.store import RegistryError
from experiments.registry.upkeep import bring_up_to_date
from settings import Settings
from tests.helpers.numbers import sevens

SPEC = SPECS["mnist"]
ALIAS = f"models:/{SPEC.registered_model}@production"
SHIPPED = Settings().models_dir / "mnist"


@pytest.fixture(scope="module")
def renewed(store_in, tmp_path_factory):
    """A registry that was empty."""
    store = store_in(tmp_path_factory.mktemp("renewed"))
    bring_up_to_date(store, SPEC, SHIPPED, [].append)
    return store


@pytest.fixture
def mlflow_at(monkeypatch):
    """Have MLflow ask a store, as its users do."""

    def mlflow_at(store):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", store.tracking_uri)
        mlflow.set_tracking_uri(store.tracking_uri)
        return mlflow

    return mlflow_at


def reading(model):
    """What a model makes of a number, and of a picture that is none."""
    return model.predict(pd.DataFrame({"image": [sevens(2), b"junk"]})).to_dict("records")


def test_the_shipped_model_is_loaded_by_its_alias(renewed, mlflow_at):
    model = mlflow_at(renewed).pyfunc.load_model(ALIAS)
    number, bad = reading(model)
    assert (number["text"], len(number["digits"]), bad["verdict"]) == ("77", 2, "error")
    assert reading(reader.load(SHIPPED)) == [number, bad]
    assert [model.predict(model.input_example)["label"][0]] == ["7"]


def test_it_carries_its_code_and_the_whole_bundle(renewed, mlflow_at):
    model = mlflow_at(renewed).pyfunc.load_model(ALIAS)
    assert type(model._model_impl).__module__ == f"{models.reader()}.{package.ENTRY}"
    folder = renewed.artifact_dir / "mnist" / "models" / model.model_id / "artifacts"
    assert {path.name for path in folder.glob("data/*/*")} >= {"model.tflite", "model.keras", "model.json"}
    required = (folder / "requirements.txt").read_text().splitlines()
    assert {line.partition("==")[0] for line in required} == set(models.REQUIREMENTS)


def test_prepared_images_are_taken_as_numpy_has_them(renewed, mlflow_at):
    model = mlflow_at(renewed).pyfunc.load_model(ALIAS)
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 13:16] = 255
    assert list(model.predict(pd.DataFrame({"pixels": [image]}))["label"]) == ["1"]


def test_a_run_logs_its_model_once(store, spec, bundle):
    with store.run(spec.name, "a run", "", {}, {}) as log:
        log.log_bundle(bundle.folder)
        log.log_model(bundle.folder, spec)
    (logged,) = store.client.get_run(log.run_id).outputs.model_outputs
    version = store.client.get_model_version(spec.registered_model, production.register(store, spec, log.run_id))
    assert version.source == f"models:/{logged.model_id}"
    assert version.tags["reader"] == models.reader()
    assert len(store.client.get_run(log.run_id).outputs.model_outputs) == 1


def test_a_run_without_a_bundle_becomes_no_version(store, spec):
    with store.run(spec.name, "no bundle", "", {}, {}) as log:
        pass
    with pytest.raises(RegistryError, match=f"can't be exported from its run {log.run_id}"):
        production.register(store, spec, log.run_id)
    assert store.runs(spec.name)[0].version is None


def older(store, keras_model=None):
    """A version in Production as earlier projects registered it: the bundle, or a Keras model. Gives its number."""
    with store.run("mnist", "older", "", {}, {}) as log:
        log.log_bundle(SHIPPED)
        run = store.client.get_run(log.run_id)
        source = f"{run.info.artifact_uri}/bundle"
        if keras_model is not None:
            info = mlflow.tensorflow.log_model(keras_model, name="model", pip_requirements=["keras"])
            source = f"models:/{info.model_id}"
    if not store.client.search_registered_models():
        store.client.create_registered_model(SPEC.registered_model)
    number = str(store.client.create_model_version(SPEC.registered_model, source, log.run_id).version)
    production.promote(store, SPEC, number, "test")
    return number


def test_an_older_registry_is_brought_up_to_date_in_place(store, keras_model, mlflow_at):
    lines, expected = [], reading(reader.load(SHIPPED))
    older(store)
    older(store, keras_model)
    bring_up_to_date(store, SPEC, SHIPPED, lines.append)
    assert [line.partition(" of ")[0] for line in lines] == ["Version 1", "Version 2"]
    api = mlflow_at(store)
    for number in ("1", "2"):
        assert reading(api.pyfunc.load_model(f"models:/{SPEC.registered_model}/{number}")) == expected
    assert api.tensorflow.load_model(f"models:/{SPEC.registered_model}/2").count_params() == keras_model.count_params()
    bring_up_to_date(store, SPEC, SHIPPED, lines.append)
    assert len(lines) == 2
    assert production.rollback(store, SPEC, "test").version == "1"


def test_a_version_whose_bundle_is_gone_stays_and_the_others_are_renewed(store, mlflow_at):
    lines = []
    older(store)
    older(store)
    run_id = store.client.get_model_version(SPEC.registered_model, "1").run_id
    shutil.rmtree(store.artifact_dir / "mnist" / run_id / "artifacts" / "bundle")
    bring_up_to_date(store, SPEC, SHIPPED, lines.append)
    assert lines[0].startswith("Version 1 of Mnist_Best_Model stays as it is.")
    assert lines[1] == "Version 2 of Mnist_Best_Model can be loaded and served by MLflow now."


def test_models_of_different_code_are_loaded_by_one_process(tmp_path, monkeypatch):
    from mlflow.models import Model

    files = package.sources()
    changed = files | {"portable/reader.py": files["portable/reader.py"].replace('ERROR = "error"', 'ERROR = "fault"')}
    answers = []
    for number, code in enumerate((files, changed)):
        monkeypatch.setattr(package, "sources", lambda code=code: code)
        models.save(tmp_path / str(number), SHIPPED, SPEC, Model())
        answers.append(reading(mlflow.pyfunc.load_model(str(tmp_path / str(number))))[1]["verdict"])
    assert answers == ["error", "fault"]
    assert {package.name_of(files), package.name_of(changed)} <= {name.partition(".")[0] for name in sys.modules}
