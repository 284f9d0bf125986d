"""Files that the page sends to browsers and gets from them, in Gradio's cache."""

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from serving.core.errors import Refused, from_os_error
from serving.core.limits import Held, check_size
from serving.prediction.prepare import MAX_SHEETS, Wanted, too_many_sheets
from serving.services import Services
from serving.uploads.cache import open_uploaded
from serving.uploads.zips import Limits

P = ParamSpec("P")


def cache_file(name: str, write: Callable[[Path], object]) -> str:
    """Return the path of a file that Gradio serves, and deletes after a while; `write` writes it to a given path. A
    file of the same name and content is left alone: given bytes or an array, Gradio would write it again while another
    visitor's browser may be reading it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        write(file)
        return str(save_file_to_cache(file, get_upload_folder()))


def cache_image(picture: Image.Image) -> str:
    """Return the path of a picture, written as PNG by cache_file."""
    return cache_file("image.png", picture.save)


def if_room(make: Callable[P, str], *args: P.args, **kwargs: P.kwargs) -> str | None:
    """Return the path of a file that an answer can do without; None where the disk has no room for it."""
    try:
        return make(*args, **kwargs)
    except OSError as error:
        if from_os_error(error) is None:
            raise
        logging.getLogger(__name__).error("An answer is shown without its files: %s.", error.strerror)
        return None


def check_values(values: Any, max_files: int) -> None:
    """Check the values that an event was sent. Raises Refused if one names a file that is not in the cache of uploads,
    or more files than Gradio may be given, which takes its time for each on the event loop; ValueError for text that
    can't be encoded. Gradio's own check looks only at files with "meta", and it would fetch their "url", which is
    dropped."""
    unchecked, files = [values], 0
    while unchecked:
        part = unchecked.pop()
        if isinstance(part, dict):
            if isinstance(layers := part.get("layers"), list) and len(layers) > MAX_SHEETS:
                raise too_many_sheets()
            if part.pop("url", None) or part.get("path"):
                files += 1
                if files > max_files:
                    raise Refused(413, "too_large", f"There are more than {max_files:,} files.", "Send them in parts.")
                open_uploaded(part.get("path")).close()
            unchecked += part.values()
        elif isinstance(part, list):
            unchecked += part
        elif isinstance(part, str):
            part.encode()


def uploads(*files: dict[str, Any] | None) -> list[Path]:
    """Return the paths of those files, as Gradio describes them, that are there."""
    return [Path(file["path"]) for file in files if file and file["path"]]


async def read_uploads(paths: Sequence[Path], held: Held, limits: Limits) -> list[bytes]:
    """Read the sheets of one drawing or photo. Raises Refused where they are too many or too large together."""
    if len(paths) > MAX_SHEETS:
        raise too_many_sheets()
    with ExitStack() as stack:
        files = [stack.enter_context(open_uploaded(path)) for path in paths]
        size = sum(os.fstat(file.fileno()).st_size for file in files)
        check_size(size, limits.file_mb, "The picture")
        held.reserve(size)
        held.enter()
        return await asyncio.to_thread(lambda: [file.read() for file in files])


async def answered_image(services: Services, dataset: str, files: Sequence[Path], client: str) -> np.ndarray:
    """Read the image that a model saw, uint8 [H, W, C], back from the file that the page was given. Raises Refused for
    any other picture."""
    with services.load.request(client) as held:
        sheets = await read_uploads(files, held, services.limits)
        prepared = await services.worker_pool.prepare_one(Wanted(dataset, answered=True), sheets, client)
    if prepared.image is None:
        raise Refused(422, "no_answer", "There is no answer here to correct.", "Submit something first.")
    return prepared.image
