"""The questions of localisation, each answered by a rule (rules.py, choice.py), with the numbers it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from facelocus.attributes import CELEBA
from facelocus.reports.grid.differences import Estimate
from facelocus.reports.grid.markdown import counted, listed, run_names, table, with_bounds
from facelocus.reports.localisation.choice import ALLOWED, Weighed, best, weigh
from facelocus.reports.localisation.comparison import Comparison
from facelocus.reports.localisation.conditions import gain_holds, holds
from facelocus.reports.localisation.looks import APART, KEPT, LOST, Score, ShippedLook, apart_in
from facelocus.reports.localisation.records import Records
from facelocus.reports.localisation.rules import (
    NO,
    PARTLY,
    UNJUDGED,
    UNSHOWN,
    YES,
    place,
    position_or_scale,
    rest,
    shown,
)
from facelocus.reports.localisation.runs import TOLD, VARIANTS

_PSE = ("pse_conv", "masks")


@dataclass(frozen=True)
class Verdict:
    """One question answered; reasons are sentences with the numbers."""

    question: str
    answer: str
    reasons: tuple[str, ...]


def verdicts(records: Records, comparison: Comparison, changed: Mapping[str, Comparison]) -> list[Verdict]:
    """Return an answer to every question, the shipped model's first; `changed` is as conditions.compared returns it."""
    shipped, pse = "the shipped model", "the grid's PSE(b)"
    return [
        _place(
            shipped, _read(records.shipped, APART), {r: _read(records.shipped, apart_in(r)) for r in CELEBA.regions}
        ),
        _place(pse, comparison.look(_PSE, APART), {r: comparison.look(_PSE, apart_in(r)) for r in CELEBA.regions}),
        _rest(shipped, _read(records.shipped, LOST), _read(records.shipped, KEPT)),
        _rest(pse, comparison.look(_PSE, LOST), comparison.look(_PSE, KEPT)),
        _more_than_free(comparison),
        _position_or_scale(comparison),
        _better_variant(weigh(comparison), comparison),
        Verdict("Does the penalty do the same at other rates, poolings and scales?", *holds(changed)),
        Verdict("Does PSE(b) add to accuracy at other rates, poolings and scales?", *gain_holds(changed)),
    ]


def section(found: Sequence[Verdict]) -> str:
    """Return all answers as a table, then each with its reasons."""
    parts = [
        "*Own* is how much of a sub-network's mask lies on its region, over what a mask that is the same everywhere "
        "has there; *others* is the mean of the seven other masks on that region. A sub-network looks at its region "
        "where own is above others. Answers are by 95 % intervals and by rules that were fixed in code before there "
        "were runs of the grid (`rules.py` and `choice.py` in `src/facelocus/reports/localisation`), that of the last "
        "question when its runs had been seen.",
        table(("question", "answer"), [(each.question, f"**{each.answer}**") for each in found], words=2),
    ]
    for verdict in found:
        reasons = "\n".join(f"- {reason}" for reason in verdict.reasons)
        parts.append(f"**{verdict.question} {verdict.answer[0].upper()}{verdict.answer[1:]}.**\n\n{reasons}")
    return "\n\n".join(parts)


def _read(look: ShippedLook | None, of: Score) -> Estimate | None:
    """Return what is read off one model, which speaks for itself and for no other seed."""
    if look is None:
        return None
    value, low, high = of(look)
    return Estimate(value, (low, high), (), ())


def _place(model: str, whole: Estimate | None, regions: Mapping[str, Estimate | None]) -> Verdict:
    question = f"Does each sub-network of {model} look at its region?"
    if whole is None:
        return Verdict(question, UNJUDGED, ("No records yet.",))
    answer, missing = place(whole, regions)
    each = ", ".join(f"{name} {with_bounds(estimate)}" for name, estimate in regions.items())
    reasons = [f"Own less others over all regions is {with_bounds(whole)}{_of(whole)}.", f"By region: {each}."]
    if answer == PARTLY:
        reasons.append(f"Not shown of {listed(missing)}.")
    return Verdict(question, answer, tuple(reasons))


def _rest(model: str, lost: Estimate | None, kept: Estimate | None) -> Verdict:
    question = f"Do the answers of {model} rest on what its masks mark?"
    if lost is None or kept is None:
        return Verdict(question, UNJUDGED, ("No records yet.",))
    reasons = (
        f"Hiding the fifth where the mask is highest loses {with_bounds(lost)} points more of the region's right "
        f"answers than hiding a fifth at random{_of(lost)}.",
        f"Showing that fifth alone keeps {with_bounds(kept)} points more than a fifth at random.",
        "That a mask lies on the face at all is enough for this; that it lies on its own region is the question above.",
    )
    return Verdict(question, rest(lost, kept), reasons)


def _more_than_free(comparison: Comparison) -> Verdict:
    question = "Do PSE(b)'s masks lie on their regions more than what a network without attention gives for free?"
    apart = comparison.look_less(_PSE, ("none", "hirescam"), APART)
    if apart is None:
        return Verdict(question, UNJUDGED, ("No records yet of both in one seed.",))
    reasons = [
        f"Own less others of PSE(b)'s masks is {with_bounds(comparison.look(_PSE, APART))}, that of HiResCAM on no "
        f"attention {with_bounds(comparison.look(('none', 'hirescam'), APART))}; they differ by "
        f"{with_bounds(apart)}{_of(apart)}."
    ]
    grad = comparison.look_less(_PSE, ("none", "gradcam"), APART)
    if grad is not None:
        reasons.append(f"Against Grad-CAM on no attention it is {with_bounds(grad)}.")
    return Verdict(question, shown(apart), tuple(reasons))


def _position_or_scale(comparison: Comparison) -> Verdict:
    question = "Is what PSE(b) adds to accuracy a matter of position or of scale?"
    pairs = {
        "PSE(b) less no attention": ("pse_conv", "none"),
        "the mask over its mean, which has no level, less no attention": ("pse_normalised", "none"),
        "PSE(b) less the mask over its mean": ("pse_conv", "pse_normalised"),
    }
    found = [comparison.score_less(*pair, "mean_accuracy_at_half") for pair in pairs.values()]
    balanced = [comparison.score_less(*pair, "mean_balanced_accuracy") for pair in pairs.values()]
    if None in found:
        return Verdict(question, UNJUDGED, ("No records yet of no attention, PSE(b) and the mask over its mean.",))
    reasons = [
        f"{what[0].upper()}{what[1:]}: {with_bounds(accuracy)} points of accuracy, {with_bounds(other)} of balanced "
        f"accuracy{_of(accuracy)}."
        for what, accuracy, other in zip(pairs, found, balanced, strict=True)
    ]
    reasons.append("All have a BatchNorm before the logits, which takes one common scale away already.")
    return Verdict(question, position_or_scale(*found), tuple(reasons))


def _better_variant(weighed: Sequence[Weighed], comparison: Comparison) -> Verdict:
    question = "Does any variant look at its regions better than PSE(b) without losing accuracy?"
    judged = [each for each in weighed if each.passes != UNJUDGED]
    if not judged:
        return Verdict(question, UNJUDGED, ("No records yet of a variant and PSE(b), runs and masks, of two seeds.",))
    better, kept, rests = (
        sum(answer == YES for answer in answers)
        for answers in zip(*((each.better, each.kept, each.rests) for each in judged), strict=True)
    )
    reasons = [
        f"Judged: {len(judged)} of {len(weighed)} variants. Shown to look at their regions better than PSE(b): "
        f"{better}; to lose less than {ALLOWED} points of accuracy: {kept}; to have answers that rest on "
        f"their masks: {rests}."
    ]
    chosen = best(weighed)
    if chosen is None:
        reasons += [
            f"{_named(each)} looks better, but its accuracy {'is lower' if each.kept == NO else 'may be lower'}: "
            f"{_numbers(each)}."
            for each in judged
            if each.better == YES and each.kept != YES
        ]
        return Verdict(question, NO if all(each.passes == NO for each in weighed) else UNSHOWN, tuple(reasons))
    none = comparison.score_less(chosen.variant, "none", "mean_accuracy_at_half")
    reasons.append(
        f"The best is {_named(chosen)}: {_numbers(chosen)}; against no attention {with_bounds(none)} points."
    )
    if chosen.variant in TOLD:
        untold = best([each for each in judged if each.variant not in TOLD])
        told = "none passes" if untold is None else f"the best is {_named(untold)}"
        reasons.append(f"Training tells it where the regions lie, so its score is obedience; of the others {told}.")
    reasons += [
        f"{_named(each)} passes too: {_numbers(each)}." for each in judged if each.passes == YES and each is not chosen
    ]
    return Verdict(question, f"yes: {VARIANTS[chosen.variant].words}", tuple(reasons))


def _named(each: Weighed) -> str:
    return f"“{VARIANTS[each.variant].words}” (`{each.variant}`)"


def _numbers(each: Weighed) -> str:
    return (
        f"own less others {with_bounds(each.gain)} against PSE(b), accuracy {with_bounds(each.accuracy)} points, "
        f"{with_bounds(each.lost)} points lost by hiding where it is highest more than at random{_of(each.gain)}"
    )


def _of(estimate: Estimate | None) -> str:
    """Return the runs that an estimate rests on, in brackets; nothing of the shipped model."""
    if estimate is None or not estimate.runs:
        return ""
    return f" ({counted(len(estimate.seeds), 'seed')}: {run_names(estimate.runs)})"
