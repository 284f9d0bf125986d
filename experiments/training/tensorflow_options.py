"""What TensorFlow reads from the environment while it is imported."""

import logging
import os

OPTIONS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # convolutions take 0.7 x the time; by default only where the processor has AVX-512
}


def set_tensorflow_options() -> None:
    """Set them, unless the user has, and silence warnings that each new model's functions are traced again."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    for name, value in OPTIONS.items():
        os.environ.setdefault(name, value)
