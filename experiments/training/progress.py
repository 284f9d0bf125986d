"""Training progress: one epoch's figures, the listeners' protocol, and the terminal's progress bar."""

from dataclasses import dataclass
from typing import NoReturn, Protocol

from tqdm import tqdm


@dataclass(frozen=True)
class Epoch:
    """One finished epoch: losses are cross-entropy in nats, accuracies 0 to 1, seconds its wall time. `epochs` of the
    whole training and `seconds` are 0 where a file or a store does not have them."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    epochs: int = 0
    seconds: float = 0.0


class Listener(Protocol):
    """Follows a training: MLflow, the terminal's bar and the page's bar are the three."""

    def batch(self, epoch: int, done: int, total: int) -> None:
        """`done` of `total` batches of this epoch are trained."""

    def epoch(self, result: Epoch) -> None:
        """An epoch is finished."""


class TerminalBar:
    """One progress bar an epoch, which ends with that epoch's figures."""

    def __init__(self, name: str, epochs: int) -> None:
        self._name, self._epochs = name, epochs
        self._bar: tqdm[NoReturn] | None = None

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Move the bar, opening one if there is none."""
        if self._bar is None:
            self._bar = tqdm(total=total, desc=f"{self._name} {epoch}/{self._epochs}", unit="batch", mininterval=0.5)
        self._bar.update(done - self._bar.n)

    def epoch(self, result: Epoch) -> None:
        """Write the figures behind the bar and end it."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {result.loss:.3f}, validation {100 * result.val_accuracy:.2f} %")
            self.close()

    def close(self) -> None:
        """Leave the bar as it stands, also when a training breaks off."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
