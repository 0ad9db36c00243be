"""How an effect is judged, by rules that were fixed before there were runs.

It is there where its 95 % interval is above the limit, it is not where the interval is below; else it is not shown.
Runs are judged from two seeds on.
"""

from __future__ import annotations

from collections.abc import Mapping

from facelocus.reports.grid.differences import Estimate

YES, NO, PARTLY, UNSHOWN, UNJUDGED = "yes", "no", "in part", "not shown", "cannot be judged here"


def shown(estimate: Estimate | None, least: float = 0) -> str:
    """Return whether an effect is above `least`, by its interval; runs of one seed are not judged."""
    if estimate is None or estimate.bounds is None or len(estimate.seeds) == 1:
        return UNJUDGED
    low, high = estimate.bounds
    return YES if low > least else NO if high < least else UNSHOWN


def place(whole: Estimate | None, regions: Mapping[str, Estimate | None]) -> tuple[str, list[str]]:
    """Return whether sub-networks look at their regions, and the regions of which it is not shown."""
    missing = [name for name, estimate in regions.items() if shown(estimate) != YES]
    answer = shown(whole)
    return (PARTLY if answer == YES and missing else answer), missing


def rest(lost: Estimate | None, kept: Estimate | None) -> str:
    """Return whether answers rest on what masks mark: by hiding it, and by showing it alone."""
    answers = {shown(lost), shown(kept)}
    if len(answers) == 1:
        return answers.pop()
    return UNJUDGED if UNJUDGED in answers else PARTLY if YES in answers else UNSHOWN


def position_or_scale(gain: Estimate | None, position: Estimate | None, level: Estimate | None) -> str:
    """Return what a module's gain is of.

    Args:
        gain: PSE(b) less no attention.
        position: PSE(b) with the mask's level divided out, less no attention.
        level: PSE(b) less that.
    """
    answers = [shown(estimate) for estimate in (gain, position, level)]
    if UNJUDGED in answers:
        return UNJUDGED
    if answers[0] != YES:
        return "no gain is shown that needs explaining"
    of = {(YES, False): "position", (YES, True): "both", (UNSHOWN, True): "scale", (NO, True): "scale"}
    return of.get((answers[1], answers[2] == YES), "cannot be told apart here")
