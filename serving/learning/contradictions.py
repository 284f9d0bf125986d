"""Ask the operator about corrections that contradict what the models are sure of; unanswered ones are not learnt.

Who calls something a 5 that no reading of it makes a 5 may be right, but then it takes a person to say so, however many
others say the same: anybody can have many addresses.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

import model_loader
from experiments.data.specs import SPECS, Split
from experiments.inference import bundle as bundles
from experiments.inference.bundle import BundleError
from experiments.inference.litert import LiteRTModel
from experiments.inference.plausibility import contradicting, plausibility
from experiments.inference.tta import Model
from experiments.retraining.corrections import MIN_CORRECTIONS, Accepted, UnansweredError
from model_loader import Classifier
from serving.services import Services
from settings import Settings

if TYPE_CHECKING:
    from serving.storage.corrections import Corrections, Labelled

JUDGED = 500  # corrections, the newest, that a review judges at once: a few seconds; a retraining judges all
WHERE = "The Retrain tab and GET /api/training-data/questions show them."


@dataclass(frozen=True, eq=False)
class Question:
    """Corrections that make the same change of the model's answer, "" where it rejects, into an improbable label.
    `confidence`: the model's in its answers, on average, 0 to 1."""

    answer: str
    label: str
    confidence: float
    corrections: "Labelled"

    @property
    def clients(self) -> int:
        """How many clients sent them."""
        return len(set(self.corrections.clients.tolist()))

    def __str__(self) -> str:
        """The matter as a clause."""
        count, clients = len(self.corrections.ids), self.clients
        who = f"{count:,} correction{'s' * (count > 1)} of {clients:,} client{'s' * (clients > 1)}"
        called = f"{who} call{'s' * (count == 1)} {self.label} what"
        if self.answer == self.label:
            return f"{called} only the model that was retrained reads so, not the shipped one"
        read = f"is {self.answer}" if self.answer else "is none of them"
        return f"{called} the model is {100 * self.confidence:.0f} % sure {read}"


class Judge:
    """Judges labels by the model in Production and by the shipped one, which no correction has moved, so that many
    small steps lead no further than one."""

    def __init__(self, production: Model, *others: Model) -> None:
        self._production, self._models = production, (production, *others)

    @classmethod
    def of(cls, production: Classifier, models_dir: Path) -> Self:
        """Take the model in Production, and load the shipped one unless that is in Production. Raises ModelError."""
        try:
            shipped = bundles.read(models_dir / production.bundle.dataset)
        except BundleError:  # then the one in Production judges alone
            return cls(partial(_outputs, production))
        same = shipped.sha256 == production.bundle.sha256
        return cls(partial(_outputs, production), *([] if same else [LiteRTModel(shipped.tflite)]))

    def answers(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Production's answers, the number of classes where it rejects: int64 [N]; and their probabilities."""
        outputs = self._production(images)
        return outputs.argmax(axis=1), outputs.max(axis=1)

    def contradicted(self, data: Split, known: np.ndarray) -> np.ndarray:
        """Whether each label contradicts one of the models, bool [N]. known: bool [N], those found to do so before."""
        plausible = np.zeros(len(known))
        unknown = Split(data.images[~known], data.labels[~known])
        judged = [plausibility(model, unknown.images, unknown.labels) for model in self._models]
        plausible[~known] = np.min(judged, axis=0)
        found: np.ndarray = known | contradicting(plausible, self.answers(data.images)[0], data.labels)
        return found


def _outputs(classifier: Classifier, images: np.ndarray) -> np.ndarray:
    """What a classifier makes of images, as a model would: float32 [N, K + 1], the last the reject class's."""
    probabilities = np.array([prediction.probabilities for prediction in classifier.predict(images)], np.float32)
    probabilities = probabilities.reshape(len(images), len(classifier.bundle.class_names))
    return np.column_stack([probabilities, 1 - probabilities.sum(axis=1)])


def production_judge(settings: Settings, dataset: str) -> Judge:
    """The judge of a process that serves nobody, by the registry's Production model. Raises ModelError."""
    classifier = model_loader.load(dataset, settings)
    classifier.refresh()
    return Judge.of(classifier, settings.models_dir)


def open_questions(services: Services, dataset: str) -> list[Question]:
    """Judge the newest corrections, pending or accepted, and return what the operator has to answer, most first."""
    judge, corrections = _judge(services, dataset), services.corrections
    labelled = corrections.labelled(dataset, "pending", "accepted", limit=JUDGED)
    return _questions(labelled.take(_ask(corrections, judge, labelled)), judge, dataset)


def ask_about(services: Services, dataset: str, ids: Sequence[int]) -> int:
    """Judge these corrections, which were just accepted, and return how many are not learnt before an answer."""
    judge, corrections = _judge(services, dataset), services.corrections
    return int(np.count_nonzero(_ask(corrections, judge, corrections.labelled(dataset, "accepted", ids=ids))))


def learnable(corrections: "Corrections", judge: Judge, dataset: str, log: Callable[[str], None]) -> Accepted:
    """Judge all accepted corrections, and return those without an unanswered question. Raises UnansweredError if that
    leaves too few."""
    labelled = corrections.labelled(dataset, "accepted")
    unanswered = _ask(corrections, judge, labelled)
    questions = _questions(labelled.take(unanswered), judge, dataset)
    for question in questions:
        log(f"Left out until that is answered: {question}.")
    learnt = labelled.take(~unanswered)
    confirmed = learnt.confirmed[~np.isnan(learnt.confirmed)]
    if len(confirmed):
        when = datetime.fromtimestamp(confirmed.max(), UTC)
        log(f"{len(confirmed):,} that were asked about are learnt, confirmed until {when:%Y-%m-%d %H:%M} UTC.")
    if questions and len(learnt.ids) < MIN_CORRECTIONS:
        clauses = "; ".join(map(str, questions[:3]))
        raise UnansweredError(f"Are they right? {clauses}. Accepted besides: {len(learnt.ids)}. {WHERE}")
    return Accepted(learnt.data, learnt.digest)


def _judge(services: Services, dataset: str) -> Judge:
    return Judge.of(services.classifier(dataset), services.settings.models_dir)


def _ask(corrections: "Corrections", judge: Judge, labelled: "Labelled") -> np.ndarray:
    """Note which of these have to be asked about, and return which are unanswered, bool [N]."""
    unanswered, unconfirmed = labelled.unanswered, np.flatnonzero(np.isnan(labelled.confirmed))
    rows = labelled.take(unconfirmed)
    found = unanswered.copy()
    found[unconfirmed] = judge.contradicted(rows.data, rows.unanswered)
    corrections.ask(labelled.ids[found & ~unanswered].tolist())
    return found


def _questions(unanswered: "Labelled", judge: Judge, dataset: str) -> list[Question]:
    return sorted(_by_change(unanswered, judge, dataset), key=lambda question: -len(question.corrections.ids))


def _by_change(unanswered: "Labelled", judge: Judge, dataset: str) -> Iterator[Question]:
    names: Sequence[str] = (*SPECS[dataset].class_names, "")
    answers, confidences = judge.answers(unanswered.data.images)
    labels = unanswered.data.labels
    for answer, label in sorted({*zip(answers.tolist(), labels.tolist(), strict=True)}):
        same = (answers == answer) & (labels == label)
        yield Question(names[answer], names[label], float(confidences[same].mean()), unanswered.take(same))
