"""Write a Hugging Face Space as a folder: `make space DIR=~/space`, or `python -m deploy.space ~/space`."""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from settings import ROOT

README = """---
title: Digit and photo reader
emoji: ✏️
colorFrom: indigo
colorTo: blue
sdk: docker
app_port: 7860
suggested_hardware: cpu-basic
license: mit
short_description: Draw a digit or a number, or upload a photo
---

Draw a digit or a number, or upload a photo: a small neural network says what it is, and when it is not sure. Written by
`make space` of the project, which says how it is set up.
"""
ATTRIBUTES = "".join(
    f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in ("keras", "tflite", "webp", "xz")
)
ENVIRONMENT = """
# A Space runs its container under user 1000, behind proxies of the network 10.0.0.0/8, with /tmp to write to.
ENV DEMO_DATA_DIR=/tmp/data \\
    DEMO_ARTIFACT_DIR=/tmp/mlartifacts \\
    MLFLOW_TRACKING_URI=sqlite:////tmp/mlflow.db \\
    DEMO_TRUSTED_PROXIES=10.0.0.0/8
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the folder that is named. Returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1 or not given[0]:
        print("Name a folder that is not there yet: make space DIR=~/space", file=sys.stderr)
        return 2
    folder = Path(given[0])
    try:
        write_space(folder)
    except OSError as error:
        print(f"Can't write the Space to {folder}: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"Written: {folder}. `hf upload NAME/SPACE {folder} . --repo-type space` puts it online.")
    return 0


def write_space(folder: Path) -> None:
    """Write all that a Space needs. Raises OSError, also where the folder is there already."""
    folder.mkdir(parents=True)
    for name in image_content():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    shutil.copy(ROOT / ".dockerignore", folder)
    (folder / "Dockerfile").write_text(dockerfile((ROOT / "Dockerfile").read_text()))
    (folder / "README.md").write_text(README)
    (folder / ".gitattributes").write_text(ATTRIBUTES)


def image_content() -> list[str]:
    """Files and folders that .dockerignore lets into the image."""
    return re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)


def dockerfile(text: str) -> str:
    """The image's Dockerfile, with a Space's user and settings."""
    text, count = re.subn(r"^USER \d+$", f"USER 1000\n{ENVIRONMENT.strip()}", text, flags=re.MULTILINE)
    if not count:
        raise ValueError("The Dockerfile has no line USER.")
    return text


if __name__ == "__main__":
    sys.exit(main())
