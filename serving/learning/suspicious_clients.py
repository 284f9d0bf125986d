"""Find clients who stand out among the corrections pending review, by giving the same wrong label over and over."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.storage.records import CorrectionFilter

if TYPE_CHECKING:
    from serving.storage.corrections import Corrections

MIN_CORRECTIONS = 5  # of one client; fewer are reviewed one by one
CONFIDENT = 0.9  # confidence of an answer from which on another label contradicts it


@dataclass(frozen=True)
class ClientSummary:
    """The pending corrections of one client: how many, the commonest change and how often it is made, and how many
    contradict an answer that the model was confident of."""

    client: str
    count: int
    given: str
    label: str
    repeated: int
    contradicting: int

    @property
    def suspicious(self) -> bool:
        """Whether most of them are the same change, or contradict a confident model."""
        return self.count >= MIN_CORRECTIONS and max(self.repeated, self.contradicting) > self.count / 2


def client_summaries(corrections: "Corrections", dataset: str) -> list[ClientSummary]:
    """Summarise each client who changed a label, suspicious ones first, then by count."""
    pending = CorrectionFilter(dataset, state="pending")
    counts = corrections.tally(pending, "client")
    confident = CorrectionFilter(dataset, state="pending", above=CONFIDENT, changed=True)
    contradicting = corrections.tally(confident, "client")
    changes = corrections.tally(pending, "client", "given", "label")  # most frequent first
    summaries: dict[str, ClientSummary] = {}
    for (client, given, label), repeated in changes.items():
        if client not in summaries and given != label:
            against = contradicting.get((client,), 0)
            summaries[client] = ClientSummary(client, counts[client,], given, label, repeated, against)
    return sorted(summaries.values(), key=lambda summary: (not summary.suspicious, -summary.count))
