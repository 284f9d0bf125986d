import threading

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.inference.litert import CHUNK, LiteRTModel, ModelError
from experiments.inference.predictions import Rival, Thresholds, blank, predictions


@pytest.fixture(scope="module")
def model(exported):
    return LiteRTModel(exported.tflite)


def test_says_what_it_takes_and_gives(model):
    assert (model.input_shape, model.outputs) == ((8, 6, 1), 3)


@pytest.mark.parametrize("count", [0, 1, 2, CHUNK, CHUNK + 1, 100])
def test_answers_a_batch_as_keras_does(model, keras_model, images, count):
    answers = model(images[:count])
    assert (answers.dtype, answers.shape) == (np.float32, (count, 3))
    np.testing.assert_allclose(answers, keras_model.predict(images, verbose=0)[:count], atol=1e-4)


def test_answers_are_copies_that_the_next_call_leaves_alone(model, images):
    first = model(images[:1])
    before = first.copy()
    model(images[1:2])
    np.testing.assert_array_equal(first, before)


def test_many_threads_get_the_answers_of_one(model, images):
    expected, wrong = model(images), []

    def work(seed):
        random = np.random.default_rng(seed)
        for _ in range(50):
            chosen = random.integers(0, len(images), random.integers(1, CHUNK + 5))
            if not np.allclose(model(images[chosen]), expected[chosen], atol=1e-6):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 8, 6, 1), np.float32),
        np.zeros((1, 6, 8, 1), np.uint8),
        np.zeros((8, 6, 1), np.uint8),
        np.zeros((1, 8, 6, 3), np.uint8),
    ],
)
def test_other_images_are_refused_and_do_no_harm(model, images, wrong):
    before = model(images)
    with pytest.raises(ValueError, match=r"uint8 \[N, 8, 6, 1\]"):
        model(wrong)
    np.testing.assert_array_equal(model(images), before)


@given(content=st.binary(max_size=300))
def test_no_bytes_give_anything_but_a_model_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"any\.tflite is not a LiteRT model"):
        LiteRTModel(path)


def test_a_cut_off_model_is_a_model_error(exported, tmp_path):
    path = tmp_path / "cut.tflite"
    path.write_bytes(exported.tflite.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"cut\.tflite"):
        LiteRTModel(path)


def test_a_missing_model_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match=r"absent\.tflite can't be read \(No such file"):
        LiteRTModel(tmp_path / "absent.tflite")


def of_flat_input():
    flat = keras.Input((48,))
    return keras.Model(flat, keras.layers.Dense(3)(flat))


def of_two_inputs():
    one, two = keras.Input((8, 6, 1)), keras.Input((8, 6, 1))
    return keras.Model([one, two], keras.layers.Dense(3)(keras.layers.Flatten()(one + two)))


def of_image_output():
    return keras.Sequential([keras.Input((8, 6, 1)), keras.layers.Conv2D(3, 3)])


def of_diverged_training():
    model = keras.Sequential([keras.Input((8, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
    return model


@pytest.mark.parametrize("build", [of_flat_input, of_two_inputs, of_image_output, of_diverged_training])
def test_a_model_of_something_else_is_a_model_error(build, tmp_path):
    build().export(tmp_path / "odd.tflite", format="litert", verbose=False)
    with pytest.raises(ModelError, match=r"odd\.tflite is not a LiteRT model of images: it"):
        LiteRTModel(tmp_path / "odd.tflite")


def test_predictions_are_sure_unsure_or_rejected(images):
    outputs = np.array([[0.1, 0.8, 0.1, 0.0], [0.5, 0.1, 0.3, 0.1], [0.2, 0.1, 0.0, 0.7]], np.float32)
    answers = predictions(images[:3], outputs, ("a", "b", "c"), Thresholds(sure=0.6, refuse=0.6), "7")
    sure, unsure, rejected = answers
    assert (sure.label, sure.verdict, sure.candidates, sure.model_version) == ("b", "sure", (), "7")
    assert sure.confidence == pytest.approx(0.8)
    assert sure.probabilities.tolist() == pytest.approx([0.1, 0.8, 0.1])
    assert sure.probabilities.dtype == np.float32
    np.testing.assert_array_equal(sure.image, images[0])
    assert (unsure.label, unsure.verdict, unsure.candidates) == ("a", "unsure", ("a", "c"))
    assert (rejected.label, rejected.verdict, rejected.confidence) == ("", "rejected", 0.0)


def test_a_model_without_reject_class_rejects_nothing(images):
    (answer,) = predictions(images[:1], np.array([[0.4, 0.6]], np.float32), ("a", "b"), Thresholds(refuse=0.1), "7")
    assert (answer.label, answer.verdict) == ("b", "sure")


def test_a_blank_is_no_class():
    prediction = blank(("a", "b"), "7")
    assert (prediction.label, prediction.confidence, prediction.verdict, prediction.image) == ("", 0.0, "blank", None)
    assert prediction.probabilities.tolist() == [0, 0]
    assert prediction.probabilities.dtype == np.float32


@pytest.mark.parametrize(
    ("outputs", "verdict"),
    [
        ([0.02, 0.97, 0.01, 0.0], "sure"),  # a comes second, and not with more than 0.02
        ([0.03, 0.96, 0.01, 0.0], "unsure"),
        ([0.01, 0.96, 0.03, 0.0], "sure"),  # c is no rival
        ([0.96, 0.03, 0.01, 0.0], "sure"),  # nor is b of a
        ([0.03, 0.07, 0.0, 0.9], "rejected"),
    ],
)
def test_an_answer_is_unsure_where_its_rival_is_possible(images, outputs, verdict):
    thresholds = Thresholds(sure=0.6, refuse=0.6, rivals=(Rival("b", "a", 0.02),))
    (answer,) = predictions(images[:1], np.array([outputs], np.float32), ("a", "b", "c"), thresholds, "7")
    assert answer.verdict == verdict
    assert answer.candidates == (("b", "a") if verdict == "unsure" else ())
    assert answer.reject_probability == pytest.approx(outputs[3], abs=1e-6)
