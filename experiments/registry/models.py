"""The model of a bundle as MLflow has models: it reads a table of pictures, wherever it is loaded."""

import functools
import io
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from experiments.data.specs import DatasetSpec
from experiments.portable import package
from experiments.portable.reader import ERROR, IMAGE, PIXELS

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models import Model, ModelSignature

BUNDLE = "bundle"  # artifact path of the exported model in its run
LOGGED = "models:/"
"""What the source of a version begins with that is a logged model."""
READER = "reader"
"""Tag of a logged model and of a version: the package of code that it carries."""
REQUIREMENTS = (
    *("mlflow-skinny", "ai-edge-litert", "kornia-rs", "numpy", "opencv-python-headless"),
    *("pandas", "pillow", "pillow-heif", "pydantic", "pydantic-core"),
)
"""The packages that the model needs, by name; they are pinned at the versions installed here."""


def save(folder: Path, bundle: Path, spec: DatasetSpec, model: "Model") -> None:
    """Write the model of a bundle, which it holds, into a new folder. model: what it says of itself already."""
    import mlflow.pyfunc
    import pandas as pd

    with tempfile.TemporaryDirectory() as scratch:
        code = package.write(package.sources(), Path(scratch))
        mlflow.pyfunc.save_model(
            folder,
            loader_module=f"{code.name}.{package.ENTRY}",
            data_path=bundle,
            code_paths=[code],
            mlflow_model=model,
            signature=_signature(spec),
            input_example=pd.DataFrame({IMAGE: [_example()]}),
            pip_requirements=[f"{name}=={metadata.version(name)}" for name in REQUIREMENTS],
        )


def log(client: "MlflowClient", run_id: str, bundle: Path, spec: DatasetSpec) -> str:
    """Log the model of a bundle as that of a run, which may have ended. Returns its id."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus
    from mlflow.models import Model

    experiment = client.get_run(run_id).info.experiment_id
    model_id: str = client.create_logged_model(experiment, "model", run_id, {READER: reader()}).model_id
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        save(folder, bundle, spec, Model(run_id=run_id, model_id=model_id))
        client.log_model_artifacts(model_id, str(folder))
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model_id, 0)])
    return model_id


def replace(client: "MlflowClient", version: "ModelVersion", bundle: Path, spec: DatasetSpec) -> None:
    """Log the model of a bundle in the place where a version of the registry has its files: those of a logged model,
    whose other flavours stay, or the bundle among the artifacts of its run."""
    from mlflow.artifacts import download_artifacts
    from mlflow.models import Model

    run_id, source = str(version.run_id), str(version.source)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        if not source.startswith(LOGGED):
            save(folder, bundle, spec, Model(run_id=run_id))
            client.log_artifacts(run_id, str(folder), BUNDLE)
            return
        model = client.get_logged_model(source.removeprefix(LOGGED))
        described = f"{model.artifact_location}/MLmodel"
        former = Model.load(download_artifacts(described, dst_path=scratch, tracking_uri=client.tracking_uri))
        save(folder, bundle, spec, Model(run_id=run_id, model_id=model.model_id, flavors=former.flavors))
        client.log_model_artifacts(model.model_id, str(folder))
        client.set_logged_model_tags(model.model_id, {READER: reader()})


def logged(client: "MlflowClient", run_id: str) -> str | None:
    """The model of a run that has the code of today; None if there is none."""
    outputs = client.get_run(run_id).outputs
    ids = [output.model_id for output in outputs.model_outputs] if outputs else []
    return next((each for each in ids if client.get_logged_model(each).tags.get(READER) == reader()), None)


@functools.cache
def reader() -> str:
    """The name of the code of today."""
    return package.name_of(package.sources())


def _signature(spec: DatasetSpec) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema, TensorSpec
    from mlflow.types.schema import Array, Map, Object, Property

    pixels: DataType | Array = DataType.long
    for _ in range(2 if spec.image_shape[2] == 1 else 3):
        pixels = Array(pixels)
    text, number, texts = DataType.string, DataType.double, Array(DataType.string)
    digit = Object(
        [
            Property("box", Array(DataType.long)),
            Property("label", text, required=False),
            Property("verdict", text),
            Property("confidence", number),
            Property("candidates", texts),
        ]
    )
    answer: list[ColSpec | TensorSpec] = [
        ColSpec(text, "label", required=False),
        ColSpec(text, "text", required=False),
        ColSpec(text, "verdict"),
        ColSpec(number, "confidence"),
        ColSpec(texts, "candidates"),
        ColSpec(Map(number), "confidences"),
        ColSpec(Array(digit), "digits"),
        ColSpec(text, ERROR, required=False),
    ]
    image = ColSpec(DataType.binary, IMAGE, required=False)
    return ModelSignature(Schema([image, ColSpec(pixels, PIXELS, required=False)]), Schema(answer))


def _example() -> bytes:
    """A picture such as people send: a drawn seven, as a PNG."""
    sheet = Image.new("L", (120, 120), "white")
    ImageDraw.Draw(sheet).line([(35, 30), (85, 30), (55, 95)], "black", 10, "curve")
    content = io.BytesIO()
    sheet.save(content, "PNG")
    return content.getvalue()
