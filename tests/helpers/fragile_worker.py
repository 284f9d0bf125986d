"""A decoding worker that ends over one picture, as over one that crashes a decoder, and never ends with another."""

import os
import sys
import time
from pathlib import Path

from serving.prediction.worker import main, prepare_web_picture

POISON = b"\x89PNG\r\n\x1a\npoison"
ENDLESS = b"\x89PNG\r\n\x1a\nendless"


def prepare(dataset, data):
    if data == POISON:
        if tries := os.environ.get("POISONED"):
            with Path(tries).open("a") as file:
                file.write("x")
        os._exit(1)
    if data == ENDLESS:
        time.sleep(60)
    return prepare_web_picture(dataset, data)


if __name__ == "__main__":
    main(int(sys.argv[1]), prepare)
