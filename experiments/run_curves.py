"""Training curves: of a run of the store, and of a model whose run may be elsewhere."""

from experiments import insights
from experiments.inference.bundle import Bundle
from experiments.insights import Epoch, InsightsError
from experiments.registry.store import Store

CURVES = ("loss", "accuracy", "val_loss", "val_accuracy")


def of_run(store: Store, run_id: str) -> tuple[Epoch, ...]:
    """By epoch, as far as all four were logged; none for a run in which nothing was trained."""
    with store.worded_errors():
        found = [
            {point.step: point.value for point in store.client.get_metric_history(run_id, name)} for name in CURVES
        ]
    epochs = sorted(set.intersection(*map(set, found)))
    return tuple(Epoch(epoch, *(values[epoch] for values in found)) for epoch in epochs)


def of_bundle(bundle: Bundle, store: Store) -> tuple[Epoch, ...]:
    """From its run if the store has it, else as they were kept with it, else none."""
    if any(run.run_id == bundle.run_id for run in store.runs(bundle.dataset)):
        return of_run(store, bundle.run_id)
    try:
        return insights.read(bundle).curves
    except InsightsError:
        return ()
