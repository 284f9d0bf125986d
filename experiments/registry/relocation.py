"""Where MLflow finds artifacts, after a move of the project too."""

from pathlib import Path


def relocate_artifacts(uri: str, artifact_dir: Path) -> None:
    """Correct MLflow's absolute paths after the project has moved; a copy would write into the original's folder."""
    import sqlalchemy
    from mlflow.store.model_registry.dbmodels.models import SqlModelVersion
    from mlflow.store.tracking.dbmodels.models import SqlExperiment, SqlLoggedModel, SqlRun
    from sqlalchemy import func, select, update
    from sqlalchemy.orm import InstrumentedAttribute

    paths: tuple[InstrumentedAttribute[str], ...] = (
        SqlExperiment.artifact_location,
        SqlRun.artifact_uri,
        SqlLoggedModel.artifact_location,
        SqlModelVersion.source,
        SqlModelVersion.storage_location,
    )
    experiment: InstrumentedAttribute[str] = SqlExperiment.name
    with sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool).begin() as connection:
        for name, old in connection.execute(select(experiment, paths[0])).all():
            new = artifact_uri(artifact_dir, name)
            if old != new and (artifact_dir / name).is_dir():
                for path in paths:
                    inside = (path == old) | path.startswith(f"{old}/", autoescape=True)
                    change = update(path.class_).where(inside).values({path: func.replace(path, old, new)})
                    connection.execute(change)


def artifact_uri(artifact_dir: Path, experiment: str) -> str:
    """The folder of an experiment's artifacts, as the URI that MLflow records."""
    return (artifact_dir / experiment).absolute().as_uri()
