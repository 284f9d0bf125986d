"""How plausible labels that people give to images are: what models make of gentle distortions of the same images.

People correct what a model reads wrongly because it is written unusually. Narrowed, slanted or turned a little, such an
image comes nearer to what is usual, and the model finds its label possible; a label of another class stays improbable
however the image is distorted. Measured in docs/results.md.
"""

import cv2
import numpy as np

from experiments.inference.tta import Model

IMPLAUSIBLE = 0.01  # mean probability below which a label contradicts the model: 4 % of the labels of generated
# drawings that the model misreads are below, and 98 % of wrong labels
CONFIRMING = 0.25  # share of those who make the same change of label from which on the others are not believed either
TURN = 0.2079  # sine of 12 degrees


def _turned(sine: float) -> np.ndarray:
    cosine = float(np.sqrt(1 - sine**2))
    return np.array([[cosine, -sine], [sine, cosine]])


DISTORTIONS = (  # float [2, 2]: of points (x right, y down) about the middle of the image
    np.diag([0.75, 1]),
    np.diag([1.3, 1]),
    np.diag([1, 0.75]),
    np.array([[1, 0.2], [0, 1]]),
    np.array([[1, -0.2], [0, 1]]),
    _turned(TURN),
    _turned(-TURN),
)


def distort(images: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Distort images uint8 [N, H, W, C] about their middle."""
    height, width = images.shape[1:3]
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    placed = np.column_stack([matrix, middle - matrix @ middle])
    distorted = [cv2.warpAffine(image, placed, (width, height), borderMode=cv2.BORDER_REPLICATE) for image in images]
    return np.array(distorted, np.uint8).reshape(images.shape)


def plausibility(model: Model, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The probability of each label, averaged over an image and its distortions: float64 [N]. labels: int64 [N].

    Where the image alone makes that more than IMPLAUSIBLE, it is a lower bound, and the distortions are spared.
    """
    views = 1 + len(DISTORTIONS)
    plausible: np.ndarray = model(images)[np.arange(len(labels)), labels].astype(float) / views
    doubtful = np.flatnonzero(plausible < IMPLAUSIBLE)
    for matrix in DISTORTIONS if len(doubtful) else ():
        outputs = model(distort(images[doubtful], matrix))
        plausible[doubtful] += outputs[np.arange(len(doubtful)), labels[doubtful]] / views
    return plausible


def contradicting(plausible: np.ndarray, answers: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether each label contradicts what the model is sure of: bool [N].

    plausible: float [N], of the labels; answers: int64 [N], the model's own. Where a quarter of those who change one
    answer into one label contradict the model, the rest do too: labels that confirm one another make none plausible.
    """
    implausible: np.ndarray = plausible < IMPLAUSIBLE
    found = implausible.copy()
    for answer, label in {*zip(answers[implausible].tolist(), labels[implausible].tolist(), strict=True)}:
        same = (answers == answer) & (labels == label)
        found |= same & (answer != label) & (implausible[same].mean() >= CONFIRMING)
    return found
