"""An exported model: a folder of a LiteRT file, a Keras file, and a manifest `model.json` with their SHA-256."""

import dataclasses
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic
import pydantic_core
from pydantic import Field, StringConstraints

from experiments.inference.predictions import Thresholds

ModelFile = Literal["model.tflite", "model.keras"]
TFLITE: ModelFile = "model.tflite"
KERAS: ModelFile = "model.keras"
MODEL_FILES = (TFLITE, KERAS)
MANIFEST, CURRENT = "model.json", "current.json"
INSIGHTS, TILES = "insights.json", "insights.webp"  # optional: figures that explain the model
REFERENCE = "reference.json"  # optional: needed to detect drift

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]*$")]
"""A version number in the registry; empty until the model is registered."""


class BundleError(RuntimeError):
    """A bundle is missing or damaged; the message tells the operator which file, and what to do."""


@pydantic.dataclasses.dataclass(frozen=True)
class Bundle:
    """A model on disk, with the contents of its manifest."""

    folder: Path
    dataset: str
    version: Version
    run_id: str
    trained_at: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}")]  # ISO 8601
    data_digest: str
    class_names: Annotated[tuple[str, ...], Field(min_length=2)]
    metrics: dict[str, Annotated[float, Field(allow_inf_nan=False)]]
    sha256: dict[ModelFile, Sha256]
    input_shape: tuple[int, int, int]  # height, width, channels of one image
    thresholds: Thresholds = Field(default_factory=Thresholds)  # of verdicts; without, every answer is sure
    input_range: tuple[int, int] = (0, 255)  # lowest and highest raw value
    input_contract: str = "raw values, not scaled: uint8 (float32 in model.tflite) [N, H, W, C], N free"
    output_contract: str = "float32 [N, K or K + 1]: calibrated probabilities of the K classes, then of none of them"
    schema_version: Literal[1] = 1

    @property
    def tflite(self) -> Path:
        """The model file for serving."""
        return self.folder / TFLITE

    @property
    def keras(self) -> Path:
        """The model file for retraining, without optimizer state."""
        return self.folder / KERAS


def read(folder: Path) -> Bundle:
    """Read the bundle in `folder` and verify both model files. Raises BundleError."""
    bundle = _read_manifest(folder)
    for name in MODEL_FILES:
        path = folder / name
        if name not in bundle.sha256:
            raise _error(folder / MANIFEST, f"records no SHA-256 of {name}")
        try:
            actual = sha256(path)
        except OSError as error:
            raise _error(path, f"can't be read ({error.strerror})") from error
        if actual != bundle.sha256[name]:
            raise _error(path, f"does not match {MANIFEST} (its SHA-256 is {actual[:12]}…)")
    return bundle


def write_manifest(bundle: Bundle) -> None:
    """Write `model.json` beside the two model files, atomically."""
    fields = {key: value for key, value in dataclasses.asdict(bundle).items() if key != "folder"}
    replace_file(bundle.folder / MANIFEST, pydantic_core.to_json(fields, indent=2) + b"\n")


def install(source: Bundle, folder: Path, *, version: str, run_id: str) -> Bundle:
    """Copy `source` to `folder` as a version of the registry, replacing it atomically."""
    bundle = dataclasses.replace(source, folder=folder, version=version, run_id=run_id)
    with new_folder(folder) as unfinished:
        for path in (source.tflite, source.keras):
            shutil.copyfile(path, unfinished / path.name)
        for path in (source.folder / name for name in (INSIGHTS, TILES, REFERENCE)):
            if path.exists():
                shutil.copyfile(path, unfinished / path.name)
        write_manifest(dataclasses.replace(bundle, folder=unfinished))
    return bundle


def exports_of(artifact_dir: Path, dataset: str) -> Path:
    """The folder of this machine's exported Production models: one folder per version, and `current.json`."""
    return artifact_dir / "production" / dataset


def read_current(exports: Path) -> Bundle | None:
    """Read the export that `current.json` in `exports` points to; None if nothing was exported."""
    path = exports / CURRENT
    try:
        pointer = _Current.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, pydantic.ValidationError) as error:
        raise _error(path, "does not name a version") from error
    return read(exports / pointer.version)


def point_current(exported: Bundle) -> None:
    """Make this the current one of the exports beside it, atomically."""
    pointer = _Current(version=exported.version).model_dump_json()
    replace_file(exported.folder.parent / CURRENT, f"{pointer}\n".encode())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there: whoever reads it sees the old content or the new."""
    unfinished = path.with_name(f".{path.name}-{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces `folder` if the block succeeds, and is removed if it fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
        unfinished = Path(scratch) / "new"
        unfinished.mkdir()
        yield unfinished
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        unfinished.rename(folder)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Current(pydantic.BaseModel):
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]  # a folder's name, never a path


def _read_manifest(folder: Path) -> Bundle:
    path = folder / MANIFEST
    try:
        fields: Any = pydantic_core.from_json(path.read_bytes())
        return Bundle(**{**fields, "folder": folder})
    except OSError as error:
        raise _error(path, f"can't be read ({error.strerror})") from error
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise _error(path, f"has an invalid field {field!r}: {first['msg'].lower()}") from error
    except (ValueError, TypeError) as error:
        raise _error(path, "is not a JSON object") from error


def _error(path: Path, problem: str) -> BundleError:
    return BundleError(
        f"{path} {problem}. Restore the folder {path.parent} from git or a backup, "
        "or export it again with `python -m experiments promote VERSION`."
    )
