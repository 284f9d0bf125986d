"""What stands out among the corrections that wait: one client who says the same wrong thing over and over."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serving.storage.records import CorrectionFilter

if TYPE_CHECKING:
    from serving.storage.corrections import Corrections

MANY = 5  # corrections of one client; fewer are looked at one by one
SURE = 0.9  # confidence of the model's answer, above which a correction contradicts it


@dataclass(frozen=True)
class ClientSummary:
    """The waiting corrections of one client: how many, the change that it makes most often and how often, and how many
    contradict an answer that the model was confident of."""

    client: str
    count: int
    given: str
    label: str
    repeated: int
    contradicting: int

    @property
    def suspicious(self) -> bool:
        """Whether it should be looked at as a whole: the same change, or against a sure model, most of the time."""
        return self.count >= MANY and max(self.repeated, self.contradicting) > self.count / 2


def client_summaries(corrections: "Corrections", dataset: str) -> list[ClientSummary]:
    """One for each client, the suspicious ones first, then by size."""
    waiting = CorrectionFilter(dataset, state="pending")
    changes = corrections.tally(waiting, "client", "given", "label")  # most first
    against = corrections.tally(CorrectionFilter(dataset, state="pending", above=SURE, changed=True), "client")
    found: dict[str, ClientSummary] = {}
    totals = corrections.tally(waiting, "client")
    for (client, given, label), count in changes.items():
        if client not in found and given != label:
            found[client] = ClientSummary(client, totals[client,], given, label, count, against.get((client,), 0))
    return sorted(found.values(), key=lambda group: (not group.suspicious, -group.count))
