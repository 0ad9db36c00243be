"""Whether what the grid shows holds where something else is changed: the rate, the pooling, the scale of the logits."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from facelocus.reports.grid.differences import Estimate
from facelocus.reports.grid.markdown import listed, table, with_bounds
from facelocus.reports.localisation.choice import ALLOWED, weigh_one
from facelocus.reports.localisation.comparison import Comparison
from facelocus.reports.localisation.looks import APART
from facelocus.reports.localisation.rules import NO, PARTLY, UNJUDGED, YES
from facelocus.reports.localisation.runs import CONDITIONS, VARIANTS
from facelocus.reports.localisation.tables import none_yet

GRID = "facelocus grid localisation_controls_small --data CELEBA --to runs --results results/localisation"
LOOK = (
    "python benchmarks/localisation/localisation.py CELEBA runs/localisation_controls_small/*/*/*/* --through masks "
    "--results results/localisation/masks.jsonl"
)
_NONE, _PSE, _TOLD = "none", "pse_conv", "outside"


def compared(comparison: Comparison) -> dict[str, Comparison]:
    """Return what there are records of: words -> the comparison, the grid itself first, then CONDITIONS."""
    others = {words: comparison.under(condition) for condition, words in CONDITIONS.items()}
    return {
        words: each for words, each in ({"as in the grid": comparison} | others).items() if each.cells or each.looks
    }


def section(conditions: Mapping[str, Comparison]) -> str:
    """Return accuracy and place of three networks in each condition."""
    told = VARIANTS[_TOLD].words
    text = (
        "A mask can gain by its scale, by a rate that suits it, or by what the pooling lets through. So no attention, "
        f"PSE(b) and the {told} are trained again with one of these changed; what a column compares shares it. "
        "Max pooling hands the classifier 3 x 3 places instead of one mean: it can tell places apart without a mask. "
        "In brackets are 95 % intervals, over people alone where there is one seed."
    )
    if len(conditions) < 2:
        return f"{text}\n\n{none_yet(GRID, LOOK)}"
    score, place = [], []
    for words, each in conditions.items():
        seeds = str(len(each.cells.get(_PSE, ())))
        less = [
            with_bounds(each.score_less(ours, theirs, metric))
            for metric in ("mean_accuracy_at_half", "mean_balanced_accuracy")
            for ours, theirs in ((_PSE, _NONE), (_TOLD, _PSE))
        ]
        score.append((words, seeds, _level(each), *less))
        looks = [with_bounds(each.look((name, "masks"), APART)) for name in (_PSE, _TOLD)]
        place.append((words, *looks, with_bounds(each.look_less((_TOLD, "masks"), (_PSE, "masks"), APART))))
    header = ("changed", "seeds", "no attention, %", "PSE(b) less it", "told less PSE(b)",
              "balanced: PSE(b) less none", "balanced: told less PSE(b)")  # fmt: skip
    return "\n\n".join(
        [text, table(header, score), "Own less others, of masks:",
         table(("changed", "PSE(b)", "told", "told less PSE(b)"), place)]
    )  # fmt: skip


def holds(conditions: Mapping[str, Comparison]) -> tuple[str, tuple[str, ...]]:
    """Return an answer to whether the penalty does in every condition what it does in the grid, and reasons."""
    weighed = {words: weigh_one(conditions[words], _TOLD) for words in CONDITIONS.values() if words in conditions}
    missing = [words for words in CONDITIONS.values() if words not in weighed or weighed[words].gain is None]
    if missing:
        return UNJUDGED, (f"No records yet of both networks' masks with {listed(missing)}.",)
    moved = [words for words, each in weighed.items() if _above(each.gain, 0)]
    kept = [words for words, each in weighed.items() if _above(each.accuracy, -ALLOWED)]
    reasons = [
        f"{words[0].upper()}{words[1:]}: own less others {with_bounds(each.gain)} against PSE(b), accuracy "
        f"{with_bounds(each.accuracy)} points."
        for words, each in weighed.items()
    ]
    if len(kept) < len(weighed):
        doubtful = [words for words in weighed if words not in kept]
        reasons.append(f"A loss of {ALLOWED} points of accuracy is not excluded with {listed(doubtful)}.")
    answer = YES if len(moved) == len(kept) == len(weighed) else PARTLY if moved else NO
    return answer, tuple(reasons)


def gain_holds(conditions: Mapping[str, Comparison]) -> tuple[str, tuple[str, ...]]:
    """Return an answer to whether PSE(b) gains accuracy in every condition, and reasons."""
    gains = {
        words: gain
        for words in CONDITIONS.values()
        if words in conditions
        and (gain := conditions[words].score_less(_PSE, _NONE, "mean_accuracy_at_half")) is not None
    }
    if len(gains) < len(CONDITIONS):
        missing = [words for words in CONDITIONS.values() if words not in gains]
        return UNJUDGED, (f"No records yet of both networks with {listed(missing)}.",)
    above = [words for words, gain in gains.items() if _above(gain, 0)]
    reasons = [f"{words[0].upper()}{words[1:]}: {with_bounds(gain)} points." for words, gain in gains.items()]
    if 0 < len(above) < len(gains):
        reasons.append(f"Shown with {listed(above)} alone.")
    return (YES if len(above) == len(gains) else PARTLY if above else NO), tuple(reasons)


def _above(estimate: Estimate | None, least: float) -> bool:
    """Return whether an interval is above `least`, of one seed too: what is asked is whether it holds here as well."""
    return estimate is not None and estimate.bounds is not None and estimate.bounds[0] > least


def _level(comparison: Comparison) -> str:
    cell = comparison.cells.get(_NONE, ())
    return f"{fmean(run.test.mean_accuracy_at_half for run in cell):.2f}" if cell else "not yet"
