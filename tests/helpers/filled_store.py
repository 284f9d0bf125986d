"""A store with runs in it that nothing was trained for."""

from experiments.registry import production

REASONS = ("Establish a baseline.", "Verify a larger <network>.", "Tune the rate.")


def fill(store, spec, bundle, count, best=None):
    """`count` finished runs, each better than the one before but for the `best`, which is in Production."""
    best = count - 1 if best is None else best
    for number in range(count):
        params = {"architecture": "wide", "epochs": 2, "learning_rate": 0.001, "batch_size": 128}
        with store.run(spec.name, f"run-{number}", REASONS[number % 3], params, {}) as log:
            for epoch in (1, 2):
                log.log_metrics(
                    {"loss": 1 / epoch, "accuracy": 0.8 + epoch / 20, "val_loss": 0.9 / epoch, "val_accuracy": 0.9},
                    epoch,
                )
            measured = {
                "validation_accuracy": 0.9 + number / 1000,
                "drawn_accuracy": 0.8 + number / 1000,
                "test_log_loss": 0.1234,
                "training_seconds": 60.0 * (number + 1),
                "parameters": 1000 * (number + 1),
                "litert_milliseconds": 0.5 + number,
            }
            log.log_metrics(bundle.metrics | measured)
            log.log_bundle(bundle.folder)
        if number == best:
            production.promote(store, spec, production.register(store, spec, log.run_id), "test")
