"""Make photos of none of the classes, of which a model should be unsure, from a data set's own photos and noise."""

import cv2
import numpy as np

from experiments.data.specs import Split


def draw_outlier_photos(source: Split, rng: np.random.Generator) -> np.ndarray:
    """Make an outlier from each photo: uint8 [N, H, W, C]."""
    kinds = (_shuffled, _collage, _blend, _texture, _blobs, _shapes)
    chosen = rng.integers(0, len(kinds), len(source.images))
    return np.stack([kinds[kind](source.images, i, rng) for i, kind in enumerate(chosen)])


def _shuffled(images: np.ndarray, i: int, rng: np.random.Generator) -> np.ndarray:
    """A photo's tiles, shuffled."""
    tiles = _tiles(images[i], 4)
    return _joined(tiles[rng.permutation(len(tiles))])


def _collage(images: np.ndarray, i: int, rng: np.random.Generator) -> np.ndarray:
    """Sixteen tiles, each from another photo."""
    others = [i, *rng.integers(0, len(images), 15)]
    return _joined(np.stack([_tiles(images[other], 4)[place] for place, other in enumerate(others)]))


def _blend(images: np.ndarray, i: int, rng: np.random.Generator) -> np.ndarray:
    """The mean of three photos, one of them upside down."""
    others: np.ndarray = images[[i, *rng.integers(0, len(images), 2)]]
    others[1] = others[1, ::-1]
    mean: np.ndarray = others.mean(0)
    return mean.astype(np.uint8)


def _texture(images: np.ndarray, i: int, rng: np.random.Generator) -> np.ndarray:
    """A few pixels of a photo, enlarged."""
    height, width = images.shape[1:3]
    side = rng.integers(3, 9)
    top, left = rng.integers(0, height - side), rng.integers(0, width - side)
    piece = images[i, top : top + side, left : left + side]
    return cv2.resize(piece, (width, height), interpolation=cv2.INTER_CUBIC)


def _blobs(images: np.ndarray, i: int, rng: np.random.Generator) -> np.ndarray:
    """Random spots around a photo's mean colour, from a gradient to noise."""
    height, width, channels = images.shape[1:]
    side = rng.choice([2, 3, 4, 8, 16, 32])
    spots = rng.normal(images[i].mean((0, 1)), rng.uniform(10, 90), (side, side, channels)).clip(0, 255)
    return cv2.resize(spots.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


def _shapes(images: np.ndarray, i: int, rng: np.random.Generator) -> np.ndarray:
    """Lines, boxes and discs on a background of one of a photo's colours, as on a sign or a screen."""
    height, width, channels = images.shape[1:]
    zoom = 4  # drawn larger, for soft edges
    sheet = np.full((zoom * height, zoom * width, channels), images[i, 0, 0], np.uint8)
    for _ in range(rng.integers(1, 12)):
        start, end = rng.integers(0, zoom * width, (2, 2)).tolist()
        colour = rng.integers(0, 256, channels).tolist()
        shape = rng.integers(3)
        thickness = int(rng.integers(2, 16)) if shape == 0 else int(rng.choice([-1, 3]))
        if shape == 0:
            cv2.line(sheet, start, end, colour, thickness)
        elif shape == 1:
            cv2.rectangle(sheet, start, end, colour, thickness)
        else:
            cv2.circle(sheet, start, int(rng.integers(4, zoom * width // 2)), colour, thickness)
    return cv2.resize(sheet, (width, height), interpolation=cv2.INTER_AREA)


def _tiles(image: np.ndarray, across: int) -> np.ndarray:
    """Cut a photo into tiles uint8 [across * across, h, w, C], row by row."""
    height, width, channels = image.shape
    rows = image.reshape(across, height // across, across, width // across, channels)
    return rows.swapaxes(1, 2).reshape(-1, height // across, width // across, channels)


def _joined(tiles: np.ndarray) -> np.ndarray:
    """Join tiles uint8 [n * n, h, w, C] into a photo uint8 [n * h, n * w, C]."""
    across = round(len(tiles) ** 0.5)
    height, width, channels = tiles.shape[1:]
    grid = tiles.reshape(across, across, height, width, channels).swapaxes(1, 2)
    return grid.reshape(across * height, across * width, channels)
