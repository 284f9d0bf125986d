"""A reader process that ends over one picture, as one does that breaks a decoder."""

import os
import sys

from serving.reader import main, read_picture

POISON = b"\x89PNG\r\n\x1a\npoison"


def read(prepare, data):
    if data == POISON:
        os._exit(1)
    return read_picture(prepare, data)


if __name__ == "__main__":
    main(int(sys.argv[1]), read)
