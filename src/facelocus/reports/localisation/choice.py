"""Which variant to take instead of PSE(b): rules that were fixed before there were runs.

A variant passes where it is shown (rules.py) that

- its masks' own less others, less PSE(b)'s, is above 0;
- its accuracy less PSE(b)'s is above -ALLOWED points, and
- hiding where its masks are highest loses more right answers than hiding at random does.

Of those that pass the best is the one of the largest gain in own less others. Intervals are not widened for the number
of variants; that a mean gain is large is no part of the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facelocus.reports.grid.differences import Estimate
from facelocus.reports.localisation.comparison import Comparison
from facelocus.reports.localisation.looks import APART, LOST
from facelocus.reports.localisation.rules import NO, UNJUDGED, UNSHOWN, YES, shown
from facelocus.reports.localisation.runs import CONTROLS, VARIANTS

#: Points of accuracy that a variant may lose at most.
ALLOWED = 0.1


@dataclass(frozen=True)
class Weighed:
    """A variant against PSE(b); an estimate is None where its records are missing.

    Attributes:
        variant: key of VARIANTS.
        gain: own less others, less PSE(b)'s.
        accuracy: less PSE(b)'s, in points.
        lost: right answers lost by hiding where its masks are highest, less those at random, in points.
    """

    variant: str
    gain: Estimate | None
    accuracy: Estimate | None
    lost: Estimate | None

    @property
    def better(self) -> str:
        """Whether its masks look at their regions better than PSE(b)'s."""
        return shown(self.gain)

    @property
    def kept(self) -> str:
        """Whether it keeps PSE(b)'s accuracy."""
        return shown(self.accuracy, -ALLOWED)

    @property
    def rests(self) -> str:
        """Whether the answers rest on what its masks mark."""
        return shown(self.lost)

    @property
    def passes(self) -> str:
        """All three; of several other answers the hardest."""
        return next(answer for answer in (NO, UNJUDGED, UNSHOWN, YES) if answer in (self.better, self.kept, self.rests))


def weigh(comparison: Comparison) -> list[Weighed]:
    """Return all variants but the controls, in the order of VARIANTS."""
    return [weigh_one(comparison, variant) for variant in VARIANTS if variant not in CONTROLS]


def weigh_one(comparison: Comparison, variant: str) -> Weighed:
    """Return a variant, a key of VARIANTS, against PSE(b)."""
    return Weighed(
        variant,
        comparison.look_less((variant, "masks"), ("pse_conv", "masks"), APART),
        comparison.score_less(variant, "pse_conv", "mean_accuracy_at_half"),
        comparison.look((variant, "masks"), LOST),
    )


def best(weighed: Sequence[Weighed]) -> Weighed | None:
    """Return the one that passes with the largest gain; None where none passes."""
    passing = [(each.gain.value, each) for each in weighed if each.passes == YES and each.gain is not None]
    return max(passing, key=lambda pair: pair[0])[1] if passing else None
