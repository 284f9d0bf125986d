"""What an answer rests on, for a model that looks at one place alone."""

import numpy as np

from experiments.inference.occlusion import AGAINST, FOR, occlusion, overlay


def test_the_part_that_the_model_looks_at_speaks_for_its_answer() -> None:
    def model(images):
        ink = images[:, 4:8, 4:8, 0].mean((1, 2)) / 255
        return np.stack([0.1 + 0.8 * ink, 0.9 - 0.8 * ink], axis=1)

    image = np.zeros((20, 20, 1), np.uint8)
    image[4:8, 4:8] = image[14:18, 14:18] = 255
    speaks_for, speaks_against = (occlusion(model, image, output) for output in (0, 1))
    assert speaks_for.shape == (20, 20)
    assert speaks_for[6, 6] > 0.5
    assert speaks_against[6, 6] < -0.5
    assert speaks_for[15, 15] == 0
    assert speaks_for[0, 19] == 0


def test_colours_tell_for_from_against() -> None:
    image = np.full((4, 4, 1), 255, np.uint8)
    relevance = np.zeros((4, 4), np.float32)
    relevance[:, 0], relevance[:, 3] = 1, -1
    picture = overlay(image, relevance, zoom=3)
    assert picture.shape == (12, 12, 3)
    assert np.abs(picture[6, 0].astype(int) - FOR).max() < 40
    assert np.abs(picture[6, 11].astype(int) - AGAINST).max() < 40


def test_a_photo_is_wiped_with_its_own_colour_and_shown_as_it_is() -> None:
    photo = np.full((12, 12, 3), (90, 140, 230), np.uint8)
    photo[3:7, 3:7] = 250
    batches = []
    occlusion(lambda images: batches.append(images) or np.ones((len(images), 2)), photo, 0)
    values = np.unique(np.concatenate(batches).reshape(-1, 3), axis=0)
    assert values.tolist() == [[90, 140, 230], [250, 250, 250]]
    pale = overlay(photo, np.zeros((12, 12), np.float32), zoom=1)
    assert pale[5, 5, 0] > pale[0, 0, 0] > 100


def test_a_blank_is_explained_by_nothing() -> None:
    nothing = occlusion(lambda images: np.ones((len(images), 2)), np.zeros((8, 8, 1), np.uint8), 0)
    assert not nothing.any()
    assert (overlay(np.zeros((8, 8, 1), np.uint8), nothing) == 255).all()
