"""The services that page and API share, built once at the start and passed in."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from experiments.inference.litert import ModelError
from experiments.inference.predictions import Prediction
from experiments.registry.store import RegistryAwayError
from model_loader import Classifier
from serving.core.access import Access
from serving.core.client_ids import ClientIds
from serving.core.guarded_calls import GuardedCalls
from serving.core.guesses import Guesses
from serving.core.limits import MIB, Load, RateLimits
from serving.core.metrics import Metrics
from serving.prediction.batching import Batcher
from serving.prediction.recent_drawings import RecentDrawings
from serving.prediction.worker_pool import WorkerPool
from serving.storage.database import Database, is_away
from serving.storage.recorder import Recorder
from serving.storage.records import HEARTBEAT_TIMEOUT, LABEL_LENGTH, Entry, Source, StoreError
from serving.uploads.cache import UploadCache, upload_folder
from serving.uploads.zips import Limits
from settings import Settings

if TYPE_CHECKING:
    from serving.storage.corrections import Corrections
    from serving.storage.retrainings import Retrainings
    from serving.storage.shared_answers import SharedAnswers

DATABASE_SECONDS = 4.0  # for what somebody waits for
BULK_SECONDS = 60.0  # for thousands of pictures
REGISTRY_SECONDS = 60.0  # a tracking server that hangs is given up sooner; the first call imports MLflow


@dataclass(frozen=True, eq=False)
class Services:
    """The models and the services around them."""

    classifiers: Mapping[str, Classifier]  # by data set; only of those that have a model
    settings: Settings
    access: Access
    client_ids: ClientIds
    rates: RateLimits
    load: Load
    limits: Limits  # of a batch of pictures
    training_limits: Limits  # of an upload of training data
    upload_cache: UploadCache
    metrics: Metrics
    worker_pool: WorkerPool
    batcher: Batcher
    database: Database
    database_calls: GuardedCalls  # through which alone the database is used, but by its own threads
    registry_calls: GuardedCalls  # likewise MLflow
    recent_drawings: RecentDrawings
    recorder: Recorder | None  # None while the history is off
    closed: threading.Event = field(default_factory=threading.Event)
    retraining_requested: threading.Event = field(default_factory=threading.Event)  # for the trainer in this process

    def classifier(self, dataset: str) -> Classifier:
        """Return the model of a data set. Raises ModelError if it has none."""
        if dataset in self.classifiers:
            return self.classifiers[dataset]
        make = f"Make one with `python -m experiments run --dataset {dataset}` and start the page again."
        raise ModelError(f"There is no {dataset} model to answer with. {make}")

    @property
    def corrections(self) -> "Corrections":
        """The corrections in the database, which is opened if it is not open. Raises StoreError."""
        from serving.storage.corrections import Corrections  # SQLAlchemy, which would slow the start

        return Corrections(self.database)

    @property
    def retrainings(self) -> "Retrainings":
        """The retrainings in the database, likewise."""
        from serving.storage.retrainings import Retrainings

        return Retrainings(self.database, self.database_calls.answering_seconds > HEARTBEAT_TIMEOUT)

    @property
    def shared_answers(self) -> "SharedAnswers":
        """The shared answers in the database, likewise."""
        from serving.storage.shared_answers import SharedAnswers

        return SharedAnswers(self.database)

    @property
    def database_problem(self) -> str:
        """Why the database can't be used, or not be written; empty while it can."""
        return self.database_calls.problem or (self.recorder.problem if self.recorder else "")

    def record(
        self,
        dataset: str,
        request_id: str,
        source: Source,
        client: str,
        milliseconds: float,
        predictions: Sequence[Prediction | None],
        sheets: Sequence[bytes] = (),
    ) -> None:
        """Count predictions and add them to the history, at the position they have here; None is a picture without one.
        milliseconds: for each. sheets: the drawing as it was sent, kept for a while in case it is corrected."""
        if sheets:
            self.recent_drawings.keep(request_id, sheets)
        answered = [(position, prediction) for position, prediction in enumerate(predictions) if prediction is not None]
        for _, prediction in answered:
            named = prediction.digits if prediction.label else ()
            digits = [(digit.answer.verdict, digit.answer.label) for digit in named]
            self.metrics.count_answer(dataset, source, prediction.verdict, prediction.label, milliseconds, digits)
        if self.recorder is None:
            return
        sha256 = self.classifier(dataset).bundle.sha256["model.tflite"]
        client_id, now = self.client_ids.id_of(client), time.time()
        self.recorder.add(
            Entry(
                request_id, position, now, source, dataset, prediction.verdict, prediction.label[:LABEL_LENGTH],
                prediction.confidence, milliseconds, prediction.model_version, sha256, client_id,
                None if prediction.image is None else prediction.image.tobytes(),
            )
            for position, prediction in answered
        )  # fmt: skip

    def close(self) -> None:
        """Write what is still queued and close everything, within seconds."""
        self.closed.set()
        self.retraining_requested.set()
        if self.recorder is not None:
            self.recorder.close()
        for calls in (self.database_calls, self.registry_calls):
            calls.close()
        self.database.close()
        self.batcher.close()


def open_services(classifiers: Mapping[str, Classifier], settings: Settings) -> Services:
    """Build the services around the models, which are given by data set. Close them at the end."""
    worker_pool = WorkerPool(settings.workers)
    limits = Limits(settings.max_batch_images, settings.max_image_mb, settings.max_batch_mb)
    database = Database.of(settings)
    database_calls = GuardedCalls("database", DATABASE_SECONDS, StoreError, is_away)
    client_ids = ClientIds.of(settings)
    return Services(
        classifiers=classifiers,
        settings=settings,
        access=Access(settings, Guesses(settings), client_ids),
        client_ids=client_ids,
        rates=RateLimits(settings),
        load=Load(settings.max_requests, settings.max_waiting_mb * MIB),
        limits=limits,
        training_limits=replace(limits, files=settings.max_training_images),
        upload_cache=UploadCache(upload_folder(), settings.max_cache_mb * MIB),
        metrics=Metrics(),
        worker_pool=worker_pool,
        batcher=Batcher(classifiers, worker_pool),
        database=database,
        database_calls=database_calls,
        registry_calls=GuardedCalls("registry", REGISTRY_SECONDS, RegistryAwayError),
        recent_drawings=RecentDrawings(),
        recorder=Recorder.of(settings, database, database_calls),
    )
