"""What a training tells while it runs, and the bar in the terminal that shows it."""

from dataclasses import dataclass
from typing import Protocol

from tqdm import tqdm


@dataclass(frozen=True)
class EpochResult:
    """One finished epoch; losses are cross-entropy in nats, accuracies 0 to 1, seconds its wall time."""

    epoch: int
    epochs: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


class Listener(Protocol):
    """Who wants to know: MLflow, the terminal's bar, a page's bar."""

    def batch(self, epoch: int, done: int, total: int) -> None:
        """`done` of `total` batches of this epoch are trained."""

    def epoch(self, result: EpochResult) -> None:
        """An epoch is over."""


class TerminalBar:
    """One bar an epoch, which ends with that epoch's figures."""

    def __init__(self, name: str, epochs: int) -> None:
        self._name, self._epochs = name, epochs
        self._bar: tqdm | None = None

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Moves the bar, opening one where there is none."""
        if self._bar is None:
            self._bar = tqdm(total=total, desc=f"{self._name} {epoch}/{self._epochs}", unit="batch", mininterval=0.5)
        self._bar.update(done - self._bar.n)

    def epoch(self, result: EpochResult) -> None:
        """Writes the figures behind the bar and ends it."""
        if self._bar is not None:
            figures = f"loss {result.loss:.3f}, validation {100 * result.val_accuracy:.2f} %"
            self._bar.set_postfix_str(figures)
            self.close()

    def close(self) -> None:
        """Leaves the bar as it stands; needed where a training breaks off."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
