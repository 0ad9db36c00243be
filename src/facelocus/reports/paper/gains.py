"""What the paper claims that modules add, judged from differences by rules that were fixed before there were any.

- A gain holds where its interval lies above zero and has the claimed size in it; it holds in sign, not in size, where
  the size is outside; it does not hold where zero is inside and the claimed size above; otherwise the interval is too
  wide to judge. One seed is not judged.
- On a trunk that the paper does not have, a gain of any size holds; it does not where the interval reaches zero and
  stays below EQUAL.
- Two modules are equal where the interval of their difference lies within EQUAL points either way, the smallest gain
  that the paper claims; they are not where it lies outside; otherwise they cannot be told apart, nor called equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from facelocus.reports import published
from facelocus.reports.grid.differences import Estimate, Resamples
from facelocus.reports.grid.markdown import counted, listed, points, run_names, with_bounds
from facelocus.reports.paper.conditions import Condition, Family
from facelocus.reports.paper.runs import FORMS, MODULES

HOLDS, SIGN, FAILS, UNJUDGED = "holds", "holds in sign, not in size", "does not hold", "cannot be judged here"
EQUAL = 0.25
#: The paper's two trunks: its name -> ours.
TRUNKS = {"Alex": ("alexnet_cvgj",), "SE": ("seresnet50", "legacy_senet154")}
#: The gains of section 4.3.1, in points: module and trunk -> claimed.
GAINS = {
    ("pse_fully_connected", "Alex"): 0.70,
    ("pse_conv", "Alex"): 0.73,
    ("pse_fully_connected", "SE"): 0.25,
    ("pse_conv", "SE"): 0.25,
}

Rule = Callable[[Estimate | None], str]


@dataclass(frozen=True)
class Verdict:
    """One claim, judged.

    Attributes:
        claim: in short.
        verdict: one of the four.
        reasons: sentences with the numbers.
        form: of the runs it rests on, a key of FORMS; None where it rests on none.
        controls: condition -> the verdict under it.
    """

    claim: str
    verdict: str
    reasons: tuple[str, ...]
    form: str | None = None
    controls: dict[str, str] = field(default_factory=dict)


def judge_gains(of: Sequence[Family], resamples: Resamples) -> list[Verdict]:
    """Return a verdict on each of GAINS, on (a) being equal to (b) on each of TRUNKS, and on our other trunks."""
    found = [_gain(module, trunk, claimed, of, resamples) for (module, trunk), claimed in GAINS.items()]
    found += [_equal(trunk, of, resamples) for trunk in TRUNKS]
    theirs = [ours for trunks in TRUNKS.values() for ours in trunks]
    told = "The paper has no such trunk."
    for trunk in sorted({family.trunk for family in of} - set(theirs)):
        for module in ("pse_fully_connected", "pse_conv"):
            claim = f"{MODULES[module]} adds anything on `{trunk}`"
            found.append(_judged(claim, (module, "none"), (trunk,), adds, told, of, resamples))
        pair = ("pse_fully_connected", "pse_conv")
        found.append(_judged(f"(a) equals (b) on `{trunk}`", pair, (trunk,), equality, told, of, resamples))
    return found


def gain(claimed: float) -> Rule:
    """Return the rule by which a gain of so many points is judged."""

    def judge(estimate: Estimate | None) -> str:
        if estimate is None or estimate.bounds is None or len(estimate.seeds) < 2:
            return UNJUDGED
        low, high = estimate.bounds
        if low > 0:
            return HOLDS if low <= claimed <= high else SIGN
        return FAILS if high < claimed else UNJUDGED

    return judge


def adds(estimate: Estimate | None) -> str:
    """Return whether a module adds at all; an interval below EQUAL that reaches zero says that it does not."""
    verdict = gain(EQUAL)(estimate)
    return HOLDS if verdict == SIGN else verdict


def equality(estimate: Estimate | None) -> str:
    """Return whether two modules are equal to within EQUAL points."""
    if estimate is None or estimate.bounds is None or len(estimate.seeds) < 2:
        return UNJUDGED
    low, high = estimate.bounds
    if low > -EQUAL and high < EQUAL:
        return HOLDS
    return FAILS if low > EQUAL or high < -EQUAL else UNJUDGED


def _gain(module: str, trunk: str, claimed: float, of: Sequence[Family], resamples: Resamples) -> Verdict:
    printed = published.table1()
    ours, theirs = printed[f"{MODULES[module]}-{trunk}"], printed[f"Baseline-{trunk}"]
    higher = sum(ours[name] > theirs[name] for name in ours)
    told = (
        f"Table 1 itself: {points(fmean(ours.values()) - fmean(theirs.values()))}, higher on {higher} of {len(ours)} "
        "attributes, from one run each and without an interval."
    )
    claim = f"{MODULES[module]} adds {claimed:.2f} points on {trunk}"
    return _judged(claim, (module, "none"), TRUNKS[trunk], gain(claimed), told, of, resamples)


def _equal(trunk: str, of: Sequence[Family], resamples: Resamples) -> Verdict:
    averages = published.averages()
    apart = averages[f"PSE(a)-{trunk}"] - averages[f"PSE(b)-{trunk}"]
    told = f"Table 1 itself: (a) less (b) is {points(apart)}, without an interval."
    pair = ("pse_fully_connected", "pse_conv")
    return _judged(f"(a) equals (b) on {trunk}", pair, TRUNKS[trunk], equality, told, of, resamples)


def _judged(
    claim: str, pair: tuple[str, str], trunks: Sequence[str], rule: Rule, told: str, of: Sequence[Family],
    resamples: Resamples,
) -> Verdict:  # fmt: skip
    """Judge by the longest form that has both modules: its first main comparison, then what its controls say."""
    for family in of:
        having = [each for each in family.weighed if all(module in each.cells for module in pair)]
        if family.trunk in trunks and having and having[0].main:
            break
    else:
        names = " or ".join(f"`{trunk}`" for trunk in trunks)
        needed = listed(list(dict.fromkeys([*(MODULES[module] for module in pair), "none"])))
        return Verdict(claim, UNJUDGED, (f"No records yet of {needed} on {names}.", told))
    verdict, sentence = _read(having[0], pair, rule, resamples)
    reasons, controls = [f"On {family.title}, with {having[0].title}: {sentence}."], {}
    for condition in having[1:]:
        controls[condition.title], sentence = _read(condition, pair, rule, resamples)
        reasons.append(f"With {condition.title} it {controls[condition.title]}: {sentence}.")
    if not controls:
        reasons.append("No control has been run, so that scale and step size may explain it.")
    if family.form != "printed":
        reasons.append(f"These runs are of the {FORMS[family.form]}; at the paper's length it may be otherwise.")
    if family.began == "from scratch":
        reasons.append("They start from scratch, the paper's from ImageNet weights.")
    return Verdict(claim, verdict, (*reasons, told), family.form, controls)


def _read(condition: Condition, pair: tuple[str, str], rule: Rule, resamples: Resamples) -> tuple[str, str]:
    """Return the verdict under one condition, and its number with the runs."""
    ours, theirs = (condition.cells[module] for module in pair)
    estimate = resamples.difference(ours, theirs, "mean_accuracy_at_half")
    names = run_names(run.run for run in (*ours, *theirs))
    if estimate is None:
        return rule(None), f"no seed in common ({names})"
    sides = " less ".join(MODULES[module] for module in pair)
    return rule(
        estimate
    ), f"{sides} is {with_bounds(estimate)} points, {counted(len(estimate.seeds), 'seed')} ({names})"
