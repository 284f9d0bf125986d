import dataclasses
import json
import logging
import shutil

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from experiments.inference import bundle as bundles
from experiments.registry.store import RegistryAwayError
from model_loader import Classifier, ModelError, load
from tests.helpers.small_model import dataset_of


def warnings_in(caplog):
    """The loader's own: TensorFlow has some too, which depend on the tests before."""
    ours = [record for record in caplog.records if record.name == "model_loader"]
    return [record.getMessage() for record in ours if record.levelno >= logging.WARNING]


def damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "harm",
    [
        lambda exports: (exports / "current.json").write_text("{"),
        lambda exports: (exports / "current.json").write_text('{"version": "9"}'),
        lambda exports: damage(exports / "1" / "model.tflite"),
        lambda exports: damage(exports / "1" / "model.keras"),
        lambda exports: (exports / "1" / "model.json").write_text("null"),
        lambda exports: shutil.rmtree(exports / "1"),
    ],
    ids=["current.json", "no such version", "model.tflite", "model.keras", "model.json", "folder gone"],
)
def test_a_damaged_export_gives_way_to_the_shipped_bundle_until_the_registry_mends_it(
    settings, spec, promote, exported_too, caplog, harm
):
    promote(exported_too)
    harm(bundles.exports_of(settings.artifact_dir, spec.name))
    classifier = Classifier(spec, settings)
    assert (classifier.source, classifier.bundle.version) == ("shipped", "7")
    (line,) = warnings_in(caplog)
    assert line.startswith("The last Production model is not used: ")
    assert "\n" not in line
    assert classifier.refresh()
    assert (classifier.source, classifier.bundle.version) == ("registry", "1")
    assert Classifier(spec, settings).source == "registry"


def test_a_damaged_shipped_bundle_is_no_matter_while_the_registry_has_one(settings, spec, promote, exported_too):
    promote(exported_too)
    damage(settings.models_dir / "dots" / "model.tflite")
    assert Classifier(spec, settings).source == "registry"


def test_no_model_at_all_is_a_worded_error(settings, spec, promote, exported):
    damage(promote(exported).tflite)
    damage(settings.models_dir / "dots" / "model.tflite")
    with pytest.raises(ModelError, match=r"no dots model .*models/dots/model\.tflite .*python -m experiments"):
        Classifier(spec, settings)


def test_an_empty_project_says_what_is_missing(tmp_path, settings_in):
    with pytest.raises(ModelError, match=r"no mnist model .*models/mnist/model\.json can't be read"):
        load("mnist", settings_in(tmp_path))


def test_a_model_of_another_shape_is_refused(settings, spec):
    for other in (
        dataclasses.replace(spec, image_shape=(28, 28, 1)),
        dataclasses.replace(spec, class_names=tuple("0123456789")),
    ):
        with pytest.raises(ModelError, match=r"models/dots holds a model of dots that maps \[8, 6, 1\] to 3"):
            Classifier(other, settings)


def test_a_promoted_model_of_another_shape_leaves_the_old_one_answering(
    settings, spec, promote, images, caplog, tmp_path
):
    import keras

    from experiments.inference.predictions import Thresholds
    from experiments.training.export import export

    other = dataclasses.replace(spec, image_shape=(4, 4, 1))
    layers = [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    facts = {"metrics": {}, "thresholds": Thresholds(), "run_id": "r", "trained_at": "2026-11-21"}
    dataset = dataset_of(other, images[:, :4, :4])
    promote(export(keras.Sequential(layers), tmp_path / "other", dataset, **facts))
    classifier = Classifier(spec, settings)
    for _ in range(3):
        assert not classifier.refresh()
    assert (classifier.source, len(classifier.predict(images))) == ("shipped", 100)
    at_start, at_refresh = warnings_in(caplog)  # the second once, not three times
    assert at_start.startswith("The last Production model is not used: ")
    assert at_refresh.startswith("The registry can't be read, Dots_Best_Model version 7")
    assert "[4, 4, 1]" in at_refresh


@pytest.mark.parametrize("trouble", ["server down", "damaged database", "not a store"])
def test_a_registry_that_does_not_answer_is_one_line_and_changes_nothing(
    settings, spec, images, caplog, capfd, monkeypatch, tmp_path, trouble
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    (tmp_path / "mlflow.db").write_text("no database" * 100)
    uri = {"server down": "http://127.0.0.1:9", "not a store": "nonsense"}.get(trouble, settings.mlflow_tracking_uri)
    classifier = Classifier(spec, settings.model_copy(update={"mlflow_tracking_uri": uri}))
    with pytest.raises(RegistryAwayError, match="MLFLOW_TRACKING_URI") as caught:
        classifier.refresh()
    assert "\n" not in str(caught.value)
    assert warnings_in(caplog) == []
    assert "Traceback" not in capfd.readouterr().err
    assert len(classifier.predict(images)) == 100


def test_a_store_that_comes_back_is_taken_up(settings, spec, store, promote, exported_too, tmp_path):
    promote(exported_too)
    away = (tmp_path / "mlflow.db").rename(tmp_path / "away.db")
    shutil.rmtree(settings.artifact_dir / "production")
    classifier = Classifier(spec, settings)
    assert not classifier.refresh()
    away.rename(tmp_path / "mlflow.db")
    assert classifier.refresh()
    assert classifier.source == "registry"


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["model.tflite", "model.json", "model.keras"]), content=st.binary(max_size=200))
def test_no_bytes_in_a_shipped_file_give_anything_but_a_model_error(settings, spec, tmp_path, name, content):
    broken = settings.model_copy(update={"models_dir": tmp_path / "broken"})
    shutil.copytree(settings.models_dir, broken.models_dir, dirs_exist_ok=True)
    (broken.models_dir / "dots" / name).write_bytes(content)
    with pytest.raises(ModelError):
        Classifier(spec, broken)


@hypothesis_settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=200))
def test_no_bytes_that_pass_their_hash_give_anything_but_a_model_error(
    exported, spec, tmp_path_factory, content, settings_in
):
    broken = settings_in(tmp_path_factory.getbasetemp() / "forged")
    folder = shutil.copytree(exported.folder, broken.models_dir / "dots", dirs_exist_ok=True)
    (folder / "model.tflite").write_bytes(content)
    manifest = json.loads((folder / "model.json").read_text())
    manifest["sha256"]["model.tflite"] = bundles.sha256(folder / "model.tflite")
    (folder / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError):
        Classifier(spec, broken)
