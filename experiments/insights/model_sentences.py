"""Sentences that interpret the figures of a model."""

from collections.abc import Sequence

import numpy as np

from experiments.insights.figures import UNITS, Insights

TELLING = 20  # answers below which a bin of confidence says nothing


def confusion(insights: Insights) -> str:
    """How many mistakes, and the most common one."""
    matrix, mistakes, names = insights.matrix, insights.mistakes, insights.class_names
    accuracy = (
        f"{matrix.trace():,} of {matrix.sum():,} test images are classified correctly "
        f"({100 * matrix.trace() / matrix.sum():.2f} %). "
    )
    if not mistakes.any():
        return f"{accuracy}There are no mistakes."
    true, predicted = insights.commonest_mistake()
    count, possible = int(mistakes.max()), len(names) ** 2 - len(names)
    absent = possible - np.count_nonzero(mistakes)
    rest = f"All {possible} possible confusions happen."
    if absent:
        rest = f"Of the {possible} possible confusions, {absent} never happen."
    return (
        f"{accuracy}The most common of the {mistakes.sum():,} mistakes is {true} taken for {predicted}: "
        f"{'once' if count == 1 else f'{count:,} times'}, {100 * count / matrix[names.index(true)].sum():.1f} % of all "
        f"{true}. {rest}"
    )


def per_class(insights: Insights) -> str:
    """The best and the worst class, and whether the worst is missed or overused."""
    precision, recall, f1 = insights.scores()
    names, low, high = insights.class_names, int(f1.argmin()), int(f1.argmax())
    difference = precision[low] - recall[low]
    often = "as often as" if abs(difference) < 0.001 else "more often than" if difference > 0 else "less often than"
    return (
        f"The best class is {names[high]} (F1 {100 * f1[high]:.2f} %), the worst {names[low]} "
        f"({100 * f1[low]:.2f} %), {100 * (f1[high] - f1[low]):.2f} points apart. {names[low].capitalize()} is missed "
        f"{often} others are taken for it: precision {100 * precision[low]:.2f} %, recall {100 * recall[low]:.2f} %."
    )


def roc(insights: Insights) -> str:
    """How well each class is ranked above the rest."""
    areas, names = np.array([curve.area for curve in insights.roc]), insights.class_names
    low = int(areas.argmin())
    recall = [np.interp(0.01, curve.false_positives, curve.true_positives) for curve in insights.roc]
    hardest = int(np.argmin(recall))
    return (
        f"The area under the curve is {areas.mean():.5f} on average and smallest for {names[low]} ({areas[low]:.5f}): "
        "the chance that an image of the class is given a higher probability of it than an image of another. At a "
        f"false positive rate of 1 %, {names[hardest]} is the hardest class: {100 * recall[hardest]:.1f} % are found."
    )


def reliability(insights: Insights) -> str:
    """Whether confidence means what it says."""
    error = f"Confidence and accuracy are {100 * insights.calibration_error:.2f} points apart on average"
    advice = "can be taken at face value" if insights.calibration_error < 0.02 else "should be taken with care"
    bins = [step for step in insights.calibration if step.count >= TELLING]
    if not bins:
        return f"{error}: confidences {advice}. Too few answers share a confidence to say more."
    worst = max(bins, key=lambda step: abs(step.confidence - step.accuracy))
    bias = "overconfident" if worst.confidence > worst.accuracy else "underconfident"
    total = sum(step.count for step in insights.calibration)
    return (
        f"{error}: confidences {advice}. The model is most {bias} where it states {100 * worst.confidence:.0f} % and "
        f"is right in {100 * worst.accuracy:.0f} % ({worst.count:,} of {total:,} answers)."
    )


def confidence(insights: Insights) -> str:
    """What asking for more confidence would gain and cost."""
    right, wrong = np.array(insights.right), np.array(insights.wrong)
    caught, doubted, total = wrong[:-1].sum(), right[:-1].sum(), max(right.sum(), 1)
    confident = f"{100 * right[-1] / total:.1f} % of the right answers are more than 95 % confident"
    if not wrong.any():
        return f"{confident}. No answer is wrong."
    return (
        f"{confident}, and so are {wrong[-1]:,} of the {wrong.sum():,} wrong ones. Requiring 95 % would catch "
        f"{caught:,} mistakes ({100 * caught / wrong.sum():.0f} %) and put {doubted:,} right answers in doubt "
        f"({100 * doubted / total:.1f} %)."
    )


def drawings(insights: Insights) -> str:
    """Which drawings are read worst, and whether that is more than chance."""
    if not insights.drawings:
        return "Nobody draws images of this data set, so its models are not tested on drawings."
    count = sum(group.count for group in insights.drawings["size"])
    sentences = [f"{count:,} generated drawings that no model was trained on."]
    for factor, groups in insights.drawings.items():
        ends = [pick(groups, key=lambda group: group.accuracy) for pick in (min, max)]
        error = np.hypot(*((end.accuracy * (1 - end.accuracy) / end.count) ** 0.5 for end in ends))
        chance = "more than chance" if ends[1].accuracy - ends[0].accuracy > 2 * error else "no more than chance"
        low, high = (f"{100 * end.accuracy:.1f} % at {end.bounds(factor)} {UNITS[factor]}" for end in ends)
        sentences.append(f"By {factor}, accuracy ranges from {low} to {high}, {chance}.")
    return " ".join(sentences)


def refusal(insights: Insights) -> str:
    """What is rejected at the model's threshold, and how well the reject class tells digits from non-digits."""
    curve = insights.refusal
    if curve is None:
        return "What this model rejects was not measured: it rejects nothing, or was measured by an earlier version."
    digits, non_digits = curve.at_threshold()
    return (
        f"Above {100 * curve.threshold:.1f} % of the reject class an image is rejected: {100 * digits:.2f} % of "
        f"{curve.counts[0]:,} digits of validation and generated drawings, {100 * non_digits:.2f} % of "
        f"{curve.counts[1]:,} generated symbols, scribbles and several digits at once. The area under the ROC curve is "
        f"{curve.area:.4f}; where 95 % of the digits are kept, {100 * curve.false_positive_rate:.2f} % of the others "
        "are taken for digits."
    )


def curves(insights: Insights) -> str:
    """When training stopped paying off, and whether the model overfits."""
    epochs = insights.curves
    if not epochs:
        return "The training of this model was not recorded with it."
    best, last = max(epochs, key=lambda epoch: epoch.val_accuracy), epochs[-1]
    losses = f"({last.loss:.3f} against {last.val_loss:.3f})"
    if last.loss > last.val_loss:
        gap = f"The training loss, measured on augmented images, stays above validation's {losses}: no overfitting"
    else:
        gap = f"The training loss fell below validation's {losses}: the model has begun to overfit"
    late = epochs[max(len(epochs) * 3 // 4 - 1, 0)]
    return (
        f"Validation is best after epoch {best.epoch} of {last.epoch}: {100 * best.val_accuracy:.2f} %. {gap}. Since "
        f"epoch {late.epoch}, validation has changed by {100 * (last.val_accuracy - late.val_accuracy):+.2f} points."
    )


def embedding(insights: Insights) -> str:
    """How well the map separates the classes, and which are neighbours."""
    labels, names = np.array([point.true for point in insights.points]), insights.class_names
    neighbours = labels[_nearest([(point.x, point.y) for point in insights.points])]
    alike = neighbours == labels
    share = f"On the map, {100 * alike.mean():.1f} % of {len(labels):,} test images are nearest to their own class."
    if alike.all():
        return f"{share} No two classes touch."
    pairs = np.zeros((len(names), len(names)), int)
    np.add.at(pairs, (labels[~alike], neighbours[~alike]), 1)
    one, other = np.unravel_index((pairs + pairs.T).argmax(), pairs.shape)
    loosest = min(sorted(set(labels.tolist())), key=lambda label: alike[labels == label].mean())
    return (
        f"{share} {names[one].capitalize()} and {names[other]} touch most often; {names[loosest]} is the least compact "
        f"class ({100 * alike[labels == loosest].mean():.1f} %)."
    )


def worst(insights: Insights) -> str:
    """The most confident mistake, and how many mistakes are the label's."""
    if not insights.worst:
        return "There are no mistakes."
    first, names = insights.worst[0], insights.class_names
    summary = (
        f"The most confident of the {insights.mistakes.sum():,} mistakes is {names[first.true]} answered "
        f"{names[first.predicted]} with {100 * first.confidence:.1f} %. "
    )
    if not insights.note_source:
        return f"{summary}No list of label errors is known for this data set, so look before blaming the model."
    disputed = sum(bool(picture.note) for picture in insights.worst)
    return (
        f"{summary}Of the {len(insights.worst)} shown, {disputed} have a disputed label (marked; by "
        f"{insights.note_source}), so they say little against the model."
    )


def _nearest(points: Sequence[tuple[float, float]]) -> np.ndarray:
    """int64 [N]: each point's nearest other one."""
    places = np.array(points)
    squares = (places**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * places @ places.T
    np.fill_diagonal(distances, np.inf)
    nearest: np.ndarray = distances.argmin(axis=1)
    return nearest
