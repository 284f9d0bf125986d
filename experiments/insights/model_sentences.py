"""What the figures of a model mean, in sentences that are computed from them."""

from collections.abc import Sequence

import numpy as np

from experiments.insights.figures import Group, Insights

UNITS = {"size": "of the pad", "brush": "px", "turn": "degrees"}
SCALES = {"size": 100.0}  # shares are said in %
TELLING = 20  # answers that a step of confidence needs to say anything


def confusion(insights: Insights) -> str:
    """How many mistakes, and which is most common."""
    matrix, names = insights.matrix, insights.class_names
    total, mistakes = matrix.sum(), matrix - np.diag(matrix.diagonal())
    told = f"{matrix.trace():,} of {total:,} test images are read right ({100 * matrix.trace() / total:.2f} %). "
    if not mistakes.any():
        return f"{told}There is not one mistake to explain."
    true, predicted = insights.commonest_mistake()
    count, ways = int(mistakes.max()), len(names) ** 2 - len(names)
    never = ways - np.count_nonzero(mistakes)
    rest = f"Of {ways} ways to confuse two classes {never} never happen." if never else f"All {ways} confusions happen."
    return (
        f"{told}The most common of the {mistakes.sum():,} mistakes is {true} taken for {predicted}: "
        f"{_times(count)}, {100 * count / matrix[names.index(true)].sum():.1f} % of all {true}. {rest}"
    )


def per_class(insights: Insights) -> str:
    """Which class is read best and worst, and what is wrong with the worst."""
    precision, recall, f1 = insights.scores()
    names, low, high = insights.class_names, int(f1.argmin()), int(f1.argmax())
    gap = precision[low] - recall[low]
    if abs(gap) < 0.001:
        cause = "others are taken for it as often as it is missed"
    else:
        cause = "others are taken for it more than it is missed" if gap < 0 else "it is missed more than taken for"
    return (
        f"Best read is {names[high]} (F1 {100 * f1[high]:.2f} %), worst {names[low]} ({100 * f1[low]:.2f} %), "
        f"{100 * (f1[high] - f1[low]):.2f} points apart. With {names[low]}, {cause}: precision "
        f"{100 * precision[low]:.2f} %, recall {100 * recall[low]:.2f} %."
    )


def roc(insights: Insights) -> str:
    """How well each class is ranked above the rest."""
    areas = np.array([each.area for each in insights.roc])
    low, names = int(areas.argmin()), insights.class_names
    found = [np.interp(0.01, each.false_positives, each.true_positives) for each in insights.roc]
    hardest = int(np.argmin(found))
    return (
        f"The area under the curves is {areas.mean():.5f} on average and least for {names[low]} ({areas[low]:.5f}): so "
        f"often is an image of the class given a higher probability of it than one of another. With one false alarm in "
        f"a hundred, {names[hardest]} is the hardest class, of which {100 * found[hardest]:.1f} % are found."
    )


def reliability(insights: Insights) -> str:
    """Whether confidence means what it says."""
    steps = [each for each in insights.calibration if each.count >= TELLING]
    error = (
        f"Confidence and the share of right answers are {100 * insights.calibration_error:.2f} points apart on average"
    )
    good = "a confidence can be taken at its word" if insights.calibration_error < 0.02 else "confidences need care"
    if not steps:
        return f"{error}: {good}. Too few answers share a confidence to say more."
    worst = max(steps, key=lambda each: abs(each.confidence - each.accuracy))
    way = "too sure of itself" if worst.confidence > worst.accuracy else "too modest"
    total = sum(each.count for each in insights.calibration)
    return (
        f"{error}: {good}. It is furthest off where it says {100 * worst.confidence:.0f} % and is right in "
        f"{100 * worst.accuracy:.0f} %, {way}; that is {worst.count:,} of {total:,} answers."
    )


def confidence(insights: Insights) -> str:
    """What asking for more confidence would save and cost."""
    right, wrong = np.array(insights.right), np.array(insights.wrong)
    caught, refused = wrong[:-1].sum(), right[:-1].sum()
    surest = f"{100 * right[-1] / max(right.sum(), 1):.1f} % of right answers are more than 95 % confident"
    if not wrong.any():
        return f"{surest}. There is no wrong one."
    return (
        f"{surest}, and {wrong[-1]:,} of the {wrong.sum():,} wrong ones. Asking for 95 % would catch {caught:,} "
        f"mistakes ({100 * caught / wrong.sum():.0f} %) and leave {refused:,} right answers in doubt "
        f"({100 * refused / max(right.sum(), 1):.1f} %)."
    )


def drawings(insights: Insights) -> str:
    """Which drawings are read worst, and whether that is more than chance."""
    if not insights.drawings:
        return "Nobody draws pictures of this data set, so its models are asked none."
    count, told = sum(group.count for group in insights.drawings["size"]), []
    for name, groups in insights.drawings.items():
        worst, best = min(groups, key=lambda each: each.accuracy), max(groups, key=lambda each: each.accuracy)
        error = np.hypot(*(np.sqrt(each.accuracy * (1 - each.accuracy) / each.count) for each in (worst, best)))
        sure = "more than chance" if best.accuracy - worst.accuracy > 2 * error else "no more than chance"
        shares = f"{100 * worst.accuracy:.1f} % at {_range(name, worst)} to {100 * best.accuracy:.1f} % at"
        told.append(f"By {name} it goes from {shares} {_range(name, best)}, {sure}.")
    return f"{count:,} generated drawings that no model was trained on. {' '.join(told)}"


def curves(insights: Insights) -> str:
    """When training stopped paying, and how far training and validation are apart."""
    if not insights.curves:
        return "How this model was trained is not recorded with it."
    best, last = max(insights.curves, key=lambda each: each.val_accuracy), insights.curves[-1]
    if last.loss > last.val_loss:
        gap = "Training images, changed anew each epoch, stay harder than validation's: no sign of learning by heart"
    else:
        gap = "Training's loss fell below validation's: it has begun to learn by heart"
    later = insights.curves[len(insights.curves) * 3 // 4 - 1] if len(insights.curves) > 3 else insights.curves[0]
    gained = 100 * (last.val_accuracy - later.val_accuracy)
    return (
        f"Validation is best after epoch {best.epoch} of {last.epoch}: {100 * best.val_accuracy:.2f} %. "
        f"{gap} ({last.loss:.3f} against {last.val_loss:.3f}). Since epoch {later.epoch} it changed by "
        f"{gained:+.2f} points."
    )


def embedding(insights: Insights) -> str:
    """How well classes are apart on the map, and which are neighbours."""
    labels = np.array([point.true for point in insights.points])
    nearest = _nearest([(point.x, point.y) for point in insights.points])
    alike, names = labels[nearest] == labels, insights.class_names
    share = 100 * alike.mean()
    told = f"Of {len(labels):,} test images {share:.1f} % have one of their own class as neighbour on the map. "
    if alike.all():
        return f"{told}No two classes touch."
    pairs = np.zeros((len(names), len(names)), int)
    np.add.at(pairs, (labels[~alike], labels[nearest][~alike]), 1)
    one, other = np.unravel_index((pairs + pairs.T).argmax(), pairs.shape)
    loose = int(np.argmin([alike[labels == k].mean() if (labels == k).any() else 1 for k in range(len(names))]))
    return (
        f"{told}{names[one]} and {names[other]} touch most often; {names[loose]} is the least compact class "
        f"({100 * alike[labels == loose].mean():.1f} %)."
    )


def worst(insights: Insights) -> str:
    """The surest mistake, and how many are the label's."""
    mistakes = int(insights.matrix.sum() - insights.matrix.trace())
    if not insights.worst:
        return "There is not one mistake."
    first, names = insights.worst[0], insights.class_names
    noted = sum(bool(picture.note) for picture in insights.worst)
    told = (
        f"The surest of the {mistakes:,} mistakes is {names[first.true]} answered {names[first.predicted]} with "
        f"{100 * first.confidence:.1f} %. "
    )
    if not insights.note_source:
        return f"{told}No list of wrong labels is consulted for this data set: look before you blame the model."
    return (
        f"{told}Of the {len(insights.worst)} shown, {noted} have a label that people doubt, so they say little against "
        f"the model (marked; by {insights.note_source})."
    )


def _range(name: str, group: Group) -> str:
    scale = SCALES.get(name, 1.0)
    return f"{scale * group.low:g} to {scale * group.high:g} {'% ' if name in SCALES else ''}{UNITS[name]}"


def _nearest(points: Sequence[tuple[float, float]]) -> np.ndarray:
    """int64 [N]: each point's nearest other one."""
    places = np.array(points)
    squares = (places**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * places @ places.T
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
