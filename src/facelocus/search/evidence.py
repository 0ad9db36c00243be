"""How probable an expression is of each face, from the columns of its attributes.

Probabilities are kept as logarithms: they neither tie near 1 nor vanish near 0. Attributes count as independent given
the face: what they have in common is in the model's probabilities already, and modelling the rest gained nothing
(benchmarks/search/search_dependence.py).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from facelocus.attributes import AttributeSet
from facelocus.library.scores import Codes, Ids, Scores, decode
from facelocus.search.query import All, Expression, Term

#: How much further the logit has to be for "very"; for "maybe" it may be so much less.
STEP = 2.0

Logs = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class Evidence:
    """What the scores of a library say of its faces.

    Args:
        scores: of the library.
        attributes: of their rows.
    """

    def __init__(self, scores: Scores, attributes: AttributeSet) -> None:
        self.scores = scores
        self._row = {name: row for row, name in enumerate(attributes.names)}

    def logs(self, expression: Expression, faces: Ids | slice) -> Logs:
        """Return the logarithm of how probable the expression is of each of these faces."""
        if isinstance(expression, Term):
            return table(expression.negated, expression.degree)[self._codes(expression)[faces]]
        if isinstance(expression, All):
            found = self.logs(expression.parts[0], faces)
            for part in expression.parts[1:]:
                found = found + self.logs(part, faces)
            return found
        none = self.logs(~expression, faces)
        # Of the two forms of log(1 - exp(none)) the one that does not cancel.
        with np.errstate(divide="ignore"):
            return np.where(none > -0.7, np.log(-np.expm1(none)), np.log1p(-np.exp(none)))

    def may_reach(self, expression: Expression, least: float) -> Mask:
        """Return, for every face, False where the logarithm cannot be as high as `least`."""
        if isinstance(expression, Term):
            logs = table(expression.negated, expression.degree)
            codes = self._codes(expression)
            if expression.negated:
                return codes < np.uint16(min(len(logs) - int(np.searchsorted(logs[::-1], least)), 65535))
            return codes >= np.uint16(min(int(np.searchsorted(logs, least)), 65535))
        if isinstance(expression, All):
            every: Mask = np.logical_and.reduce([self.may_reach(part, least) for part in expression.parts])
            return every
        # One of n is at least a n-th as probable as all of them together.
        share = least - np.log(len(expression.parts)) - 1e-5  # what rounding might take away
        some: Mask = np.logical_or.reduce([self.may_reach(part, share) for part in expression.parts])
        return some

    def strength(self, term: Term, faces: Ids | slice) -> npt.NDArray[np.int32]:
        """Return a number that is higher the more a term is so."""
        codes = self._codes(term)[faces].astype(np.int32)
        return -codes if term.negated else codes

    def _codes(self, term: Term) -> Codes:
        column: Codes = self.scores.logits[self._row[term.attribute]]
        return column


@lru_cache(maxsize=6)
def table(negated: bool, degree: int) -> Logs:
    """Return code -> logarithm of the probability of a term, float32 of shape 65536."""
    logits = decode(np.arange(65536)) - STEP * degree
    if negated:
        logits = -logits
    return -np.logaddexp(0, -logits).astype(np.float32)
