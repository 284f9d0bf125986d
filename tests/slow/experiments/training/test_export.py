import dataclasses

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from experiments.inference import bundle as bundles
from experiments.inference.predictions import Thresholds
from experiments.training.export import ExportError, export
from tests.helpers.small_model import dataset_of

FACTS = {
    "metrics": {"test_accuracy": 0.5},
    "thresholds": Thresholds(),
    "run_id": "r",
    "trained_at": "2026-11-21",
}


def model_of(spec, *layers, shape=None, outputs=3):
    head = [keras.layers.Flatten(), keras.layers.Dense(outputs, activation="softmax")]
    return keras.Sequential([keras.Input(shape or spec.image_shape), *layers, *head])


def amplifier_of_rounding(spec):
    layers = [keras.layers.Flatten(), keras.layers.Dense(3), keras.layers.Rescaling(1e6)]
    return keras.Sequential([keras.Input(spec.image_shape), *layers])


def test_bundle_says_what_it_is(exported, spec):
    assert bundles.read(exported.folder) == exported
    assert (exported.dataset, exported.version, exported.run_id) == ("dots", "", "run-of-export")
    assert exported.class_names == spec.class_names
    assert exported.input_shape == spec.image_shape
    assert exported.metrics == {"test_accuracy": 0.9375, "validation_accuracy": 0.95}


def test_only_the_bundle_is_left_behind(exported):
    assert [path.name for path in exported.folder.parent.iterdir()] == ["bundle"]
    assert sorted(path.name for path in exported.folder.iterdir()) == ["model.json", "model.keras", "model.tflite"]


@pytest.mark.parametrize("count", [1, 7, 100])
def test_litert_takes_any_number_of_raw_images_and_answers_as_keras(exported, keras_model, images, count):
    interpreter = Interpreter(model_path=str(exported.tflite))
    interpreter.resize_tensor_input(0, [count, *images.shape[1:]], strict=True)
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, images[:count].astype(np.float32))
    interpreter.invoke()
    answers = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(answers, keras_model.predict(images[:count], verbose=0), atol=1e-4)


def test_keras_file_has_the_weights_and_no_optimizer_state(exported, keras_model, images, tmp_path):
    reloaded = keras.saving.load_model(exported.keras, safe_mode=True)
    np.testing.assert_array_equal(reloaded.predict(images, verbose=0), keras_model.predict(images, verbose=0))
    assert getattr(reloaded, "optimizer", None) is None
    keras_model.save(tmp_path / "with_optimizer.keras")
    assert exported.keras.stat().st_size < (tmp_path / "with_optimizer.keras").stat().st_size


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (lambda spec: model_of(spec, keras.layers.Lambda(lambda x: 2 * x)), "Lambda"),
        (lambda spec: model_of(spec, keras.Sequential([keras.layers.Lambda(lambda x: x)])), "Lambda"),
        (lambda spec: model_of(spec, shape=(6, 8, 1)), r"\(None, 8, 6, 1\)"),
        (lambda spec: model_of(spec, outputs=2), r"\(None, 3\)"),
        (lambda spec: model_of(spec, keras.layers.Conv2D(4, 3, dtype="mixed_bfloat16")), "LiteRT .* float32"),
        (amplifier_of_rounding, "differ"),
    ],
    ids=["lambda", "nested lambda", "wrong shape", "too few classes", "bfloat16", "rounding"],
)
def test_unfit_models_are_refused_and_leave_nothing(build, complaint, spec, images, tmp_path):
    with pytest.raises(ExportError, match=complaint):
        export(build(spec), tmp_path / "out", dataset_of(spec, images), **FACTS)
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_that_refuses_has_one_output_more(spec, images, tmp_path):
    refusing = dataclasses.replace(spec, has_reject_class=True)
    wider = export(model_of(spec, outputs=4), tmp_path / "out", dataset_of(refusing, images), **FACTS)
    assert wider.class_names == spec.class_names
    with pytest.raises(ExportError, match=r"\(None, 4\)"):
        export(model_of(spec), tmp_path / "narrow", dataset_of(refusing, images), **FACTS)


def test_a_second_export_replaces_the_first(spec, images, tmp_path):
    first = export(model_of(spec), tmp_path / "out", dataset_of(spec, images), **FACTS)
    second = export(model_of(spec), tmp_path / "out", dataset_of(spec, images), **FACTS)
    assert first.sha256 != second.sha256
    assert bundles.read(tmp_path / "out") == second
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]
