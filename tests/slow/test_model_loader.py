import dataclasses
import logging
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from experiments.inference import bundle as bundles
from experiments.inference.litert import LiteRTModel
from experiments.inference.occlusion import occlusion, overlay
from experiments.registry import production
from experiments.registry.store import TrackingStore
from model_loader import Classifier
from serving.prediction.predict import predict_images
from settings import ROOT


def test_without_a_store_the_shipped_bundle_answers(settings, spec, caplog, tmp_path):
    with caplog.at_level(logging.INFO):
        classifier = Classifier(spec, settings)
    line = "Dots_Best_Model version 7, 93.75 % on the DOTS test set, trained 2026-11-21 (shipped)"
    assert classifier.describe() == line
    assert [record.getMessage() for record in caplog.records] == [f"Answers come from {line}."]
    assert (classifier.source, classifier.bundle.run_id) == ("shipped", "shipped-run")
    assert not classifier.refresh()
    assert not (tmp_path / "mlflow.db").exists()  # asking has not made one


def test_a_model_without_a_test_accuracy_is_described_too(settings, spec, bundle):
    bundles.install(dataclasses.replace(bundle, metrics={}), settings.models_dir / "dots", version="7", run_id="r")
    assert Classifier(spec, settings).describe() == "Dots_Best_Model version 7, trained 2026-11-21 (shipped)"


def test_predictions_are_those_of_the_bundle(settings, spec, exported, images):
    predictions = Classifier(spec, settings).predict(images)
    expected = LiteRTModel(exported.tflite)(images)
    np.testing.assert_array_equal([prediction.probabilities for prediction in predictions], expected)
    assert {prediction.model_version for prediction in predictions} == {"7"}


def test_what_is_explained_is_the_answer_after_a_second_look(settings, spec, exported, images):
    model, again = LiteRTModel(exported.tflite), (lambda seen: 255 - seen,) * 5
    classifier = Classifier(dataclasses.replace(spec, views=again), settings)
    answers = np.array([each.probabilities for each in classifier.predict(images)]).argmax(axis=1)
    changed = np.flatnonzero(answers != model(images).argmax(axis=1))
    image, answer = images[changed[0]], answers[changed[0]]
    np.testing.assert_array_equal(classifier.explain(image), overlay(image, occlusion(model, image, int(answer))))


def test_a_blank_drawing_is_no_class(settings, spec, images):
    classifier = Classifier(spec, settings)
    prepared = [spec.prepare(pixels) for pixels in (images[0].astype(np.int16), np.zeros_like(images[0]))]
    drawn, blank = predict_images(classifier, prepared)
    np.testing.assert_array_equal(drawn.image, images[0])
    assert (drawn.verdict, drawn.label) == ("sure", classifier.predict(images[:1])[0].label)
    assert (blank.verdict, blank.label, blank.model_version) == ("blank", "", "7")


def test_the_export_of_the_registry_comes_first(settings, spec, promote, exported_too):
    promote(exported_too)
    classifier = Classifier(spec, settings)
    assert (classifier.source, classifier.bundle.version) == ("registry", "1")
    assert classifier.bundle.sha256 == exported_too.sha256


def test_refresh_takes_up_promotion_and_rollback(settings, spec, store, promote, exported, exported_too, images):
    classifier = Classifier(spec, settings)
    assert not classifier.refresh()  # a store without models
    for bundle, version in ((exported_too, "1"), (exported, "2")):
        promote(bundle)
        assert classifier.refresh()
        assert (classifier.source, classifier.bundle.version) == ("registry", version)
        (answer,) = classifier.predict(images[:1])
        np.testing.assert_array_equal(answer.probabilities, LiteRTModel(bundle.tflite)(images[:1])[0])
        assert not classifier.refresh()
    production.rollback(store, spec, "regret")
    assert classifier.refresh()
    assert classifier.bundle.version == "1"
    assert not classifier.refresh()


def test_the_shipped_bundle_is_taken_up_again_under_its_number_in_the_registry(settings, spec, store):
    classifier = Classifier(spec, settings)
    production.seed_shipped(store, spec, classifier.bundle)
    assert classifier.refresh()
    assert classifier.describe().startswith("Dots_Best_Model version 1,")
    assert classifier.source == "registry"


def test_an_unchanged_store_is_not_asked_again(settings, spec, store, promote, exported):
    exported_folder = promote(exported).folder
    classifier = Classifier(spec, settings)
    classifier.refresh()
    shutil.rmtree(exported_folder)
    assert not classifier.refresh()
    assert not exported_folder.exists()  # asking would have made it anew


@pytest.fixture
def moved(spec, empty_database, exported, exported_too, tmp_path, settings_in):
    """A project with a Production model that was moved: the paths in its store are those of the old place."""
    home, away = tmp_path / "home", tmp_path / "away"
    bundles.install(exported, home / "models" / "dots", version="7", run_id="r")
    shutil.copyfile(empty_database, home / "mlflow.db")
    store = TrackingStore.of(settings_in(home))
    with store.run(spec.name, "a run", "", {}, {}) as log:
        log.log_bundle(exported_too.folder)
    production.promote(store, spec, production.register(store, spec, log.run_id), "test")
    home.rename(away)
    yield settings_in(away)
    assert not home.exists()


@pytest.mark.parametrize("lost", ["dots", "production"], ids=["artifacts", "exports"])
def test_a_moved_project_answers_with_its_production_model(moved, spec, exported_too, lost):
    shutil.rmtree(moved.artifact_dir / lost)
    classifier = Classifier(spec, moved)
    classifier.refresh()
    assert (classifier.source, classifier.bundle.version) == ("registry", "1")
    assert classifier.bundle.sha256 == exported_too.sha256


def test_a_project_moved_without_its_artifacts_answers_with_the_shipped_bundle(moved, spec, caplog):
    shutil.rmtree(moved.artifact_dir)
    classifier = Classifier(spec, moved)
    assert not classifier.refresh()
    assert (classifier.source, classifier.bundle.version) == ("shipped", "7")
    (record,) = caplog.records
    assert "Version 1 of Dots_Best_Model can't be exported" in record.getMessage()


def test_no_answer_fails_or_mixes_models_while_models_change(settings, spec, promote, exported, exported_too, images):
    bundle_of = {"7": exported, "1": exported_too, "2": exported, "3": exported_too}
    expected = {version: LiteRTModel(bundle.tflite)(images) for version, bundle in bundle_of.items()}
    classifier, seen, wrong, stop = Classifier(spec, settings), set(), [], threading.Event()

    def ask():
        while not stop.wait(0.001):
            answers = classifier.predict(images)
            probabilities = np.stack([answer.probabilities for answer in answers])
            versions = {answer.model_version for answer in answers}
            if not any(np.allclose(probabilities, expected[version], atol=1e-6) for version in versions):
                wrong.append(versions)
            seen.update(versions)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in ("1", "2", "3"):
        promote(bundle_of[version])
        assert classifier.refresh()
        while version not in seen and any(thread.is_alive() for thread in threads):
            stop.wait(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert seen == set(bundle_of)


def test_answering_needs_no_training_library(settings):
    program = """
import sys
import numpy as np
from experiments.data.specs import DatasetSpec
from model_loader import Classifier
from settings import Settings

spec = DatasetSpec("dots", (8, 6, 1), ("none", "one", "many"), "Dots_Best_Model", lambda pixels: pixels)
classifier = Classifier(spec, Settings())
assert classifier.predict(np.zeros((1, 8, 6, 1), np.uint8))[0].verdict in ("sure", "unsure")
classifier.refresh()
print(sorted({name.partition(".")[0] for name in sys.modules} & {"tensorflow", "keras", "mlflow", "sklearn"}))
"""
    environment = {
        "DEMO_MODELS_DIR": str(settings.models_dir),
        "DEMO_ARTIFACT_DIR": str(settings.artifact_dir),
        "MLFLOW_TRACKING_URI": settings.mlflow_tracking_uri,
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
