"""What MLflow's page says of registered models and their versions, in sentences."""

from experiments.data.specs import DatasetSpec
from experiments.registry.run_log import RunSummary

MEASURED = {
    "test_accuracy": "{:.2f} % of the test {things}",
    "drawn_accuracy": "{:.2f} % of generated drawings",
    "negatives_refused": "{:.1f} % of what is none of them",
}
"""The metrics that say how good a model is, and their wording, in percent."""


def model_description(spec: DatasetSpec) -> str:
    """What a registered model is for, and what its aliases mean."""
    *names, last = spec.class_names
    others = ", or none of them" if spec.has_reject_class else ""
    return (
        f"Recognises {spec.things}: {', '.join(names)} or {last}{others}. Each version comes from one run of "
        f"`python -m experiments --dataset {spec.name}` or from a retraining on accepted corrections.\n\n"
        "The alias `production` is the version that the page answers by, `challenger` the latest that the promotion "
        "gate has not let through; `gate.html` among the artifacts of a version's run says why."
    )


def version_description(run: RunSummary, spec: DatasetSpec) -> str:
    """How the model of a run was made, and how good it is: two sentences."""
    return f"{_made(run)} {_quality(run, spec)}"


def _made(run: RunSummary) -> str:
    if run.tags.get("origin") == "shipped":
        return f"The model that came with the project, trained on {run.tags['trained_at'][:10]}."
    day, params = run.started.date().isoformat(), run.params
    if "retrain" in run.tags:
        parent = f"version {params['parent_version']}" if "parent_version" in params else "the Production model"
        return f"Retrained from {parent} on {run.tags.get('corrections', 'the')} accepted corrections, on {day}."
    if "architecture" not in params:
        return f"The model of the run `{run.name}` of {day}."
    weights = ", from the weights of an earlier model on," if params.get("parent") else ""
    epochs = f"{params['epochs']} epoch{'' if params['epochs'] == '1' else 's'}" if "epochs" in params else "some time"
    return f"The network `{params['architecture']}`, trained for {epochs}{weights} by the run `{run.name}` of {day}."


def _quality(run: RunSummary, spec: DatasetSpec) -> str:
    right = [
        words.format(100 * run.metrics[name], things=spec.things)
        for name, words in MEASURED.items()
        if name in run.metrics
    ]
    if not right:
        return "How good it is was not measured."
    *first, last = right
    return f"It is right about {', '.join(first)}{' and ' if first else ''}{last}."
