"""Pictures of several people: how many faces, and which of them is whom."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from facelocus.search.evidence import Evidence, Logs, Mask
from facelocus.search.query import Expression, People, Query

#: A picture: its position in the scores, the logarithm of its score, and rows of faces with what they are found for.
Ranked = tuple[int, float, list[tuple[int, Expression]]]


def rank_people(evidence: Evidence, query: Query, limit: int, least: float) -> list[Ranked]:
    """Return the best pictures, the best first (or in the query's order), of those that score `least` or more."""
    scores = evidence.scores
    counts = np.diff(scores.starts)
    fits = _of_numbers(query, counts)
    logs = np.where(fits, 0.0, -np.inf)
    rows = np.flatnonzero(np.repeat(fits, counts))
    within = _Within(np.repeat(np.arange(len(counts)), counts)[rows], len(counts))
    whom = [people for people in query.people if people.so is not None and people.quantity == "at least"]
    about = [evidence.logs(people.so, rows) for people in whom if people.so is not None]
    for people, values in zip(whom, about, strict=True):
        logs += within.sum_of_best(values, people.number)
    for people in query.people:
        if people.so is not None and people.quantity != "at least":
            logs += _of_all(evidence, people, rows, within)
    order = _order(evidence, query, rows, within, logs, least)
    told_apart = len(whom) > 1
    found: list[Ranked] = []
    best: list[float] = []
    for picture in order:
        # Telling people apart makes no picture better: those that come are at most as good as they are in this order.
        if len(found) >= limit and (not told_apart or query.by is not None or logs[picture] <= best[-limit]):
            break
        first, last = np.searchsorted(within.group, [picture, picture + 1])
        chosen, lost = _assigned(whom, [values[first:last] for values in about])
        log = float(logs[picture]) - lost
        if log == -np.inf or np.exp(log) < least:
            continue
        faces = [(int(rows[first + place]), so) for so, place in chosen]
        faces += [(int(row), so) for so in _said_of_all(query) for row in rows[first:last]]
        found.append((int(picture), log, faces))
        insort(best, log)
    if query.by is None:
        found.sort(key=lambda ranked: -ranked[1])
    return found[:limit]


class _Within:
    """Sums over the faces of each picture.

    Attributes:
        group: the picture of each face, ascending.
    """

    def __init__(self, group: npt.NDArray[np.int64], pictures: int) -> None:
        self.group, self._pictures = group, pictures

    def sum(self, values: Logs) -> npt.NDArray[np.float64]:
        """Return the sum of each picture."""
        found: npt.NDArray[np.float64] = np.bincount(self.group, values, self._pictures).astype(np.float64)
        return found

    def sum_of_best(self, values: Logs, number: int) -> npt.NDArray[np.float64]:
        """Return the sum of the best so many of each picture."""
        return self.sum(np.where(self.are_best(values, number), values, 0))

    def are_best(self, values: Logs, number: int) -> Mask:
        """Return whether a face is among the best so many of its picture."""
        order = np.lexsort((-values, self.group))
        ordered = self.group[order]
        place = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
        found = np.zeros(len(values), bool)
        found[order] = place < number
        return found


def _of_numbers(query: Query, counts: npt.NDArray[np.int64]) -> Mask:
    """Return which pictures have faces enough, and not too many."""
    fits = np.ones(len(counts), bool)
    described = 0
    for people in query.people:
        if people.so is not None:
            described += people.number if people.quantity == "at least" else 0
            fits &= counts >= max(people.number if people.quantity == "exactly" else 0, 1)
        elif people.quantity == "exactly":
            fits &= counts == people.number
        else:
            fits &= counts >= people.number if people.quantity == "at least" else counts <= people.number
    return fits & (counts >= described)


def _of_all(
    evidence: Evidence, people: People, rows: npt.NDArray[np.int64], within: _Within
) -> npt.NDArray[np.float64]:
    """Return the logarithm for each picture where something is said of all its faces."""
    assert people.so is not None
    so = evidence.logs(people.so, rows)
    if people.quantity == "every":
        return within.sum(so)
    best = within.are_best(so, people.number)
    others = within.sum(np.where(best, 0, evidence.logs(~people.so, rows)))
    return others + within.sum(np.where(best, so, 0)) if people.quantity == "exactly" else others


def _said_of_all(query: Query) -> Iterator[Expression]:
    for people in query.people:
        if people.so is not None and people.quantity != "at least":
            yield people.so if people.quantity == "every" else ~people.so


def _order(
    evidence: Evidence,
    query: Query,
    rows: npt.NDArray[np.int64],
    within: _Within,
    logs: npt.NDArray[np.float64],
    least: float,
) -> npt.NDArray[np.int64]:
    """Return the pictures that may match, in the order in which they are looked at."""
    reach = np.flatnonzero(logs >= (np.log(least) if least > 0 else -np.inf))
    reach = reach[np.isfinite(logs[reach])]
    if query.by is None:
        return reach[np.argsort(-logs[reach], kind="stable")]
    strength = np.full(len(logs), np.iinfo(np.int32).min)
    np.maximum.at(strength, within.group, evidence.strength(query.by, rows))
    return reach[np.argsort(-strength[reach], kind="stable")]


def _assigned(whom: list[People], logs: list[Logs]) -> tuple[list[tuple[Expression, int]], float]:
    """Give each of the people a face of one picture, no two the same, so that all together are most probable.

    Args:
        whom: the people, each so many as its number.
        logs: of each of `whom`, the logarithm of how probable each face is.

    Returns:
        What each of them is with the position of its face, and how much is lost to everyone having the best face.
    """
    best = [np.argsort(-values, kind="stable")[: people.number] for people, values in zip(whom, logs, strict=True)]
    slots = [people.so for people in whom for _ in range(people.number) if people.so is not None]
    if len(whom) < 2:
        return [(so, int(place)) for so, place in zip(slots, best[0], strict=True)] if whom else [], 0.0
    unbound = sum(float(values[places].sum(dtype=np.float64)) for values, places in zip(logs, best, strict=True))
    each = np.repeat(np.array(logs, np.float64), [people.number for people in whom], axis=0)
    chosen, total = assigned(each)
    return list(zip(slots, chosen, strict=True)), unbound - total


def assigned(values: npt.NDArray[np.float64]) -> tuple[list[int], float]:
    """Give each of n people another face, so that the sum of the values is highest.

    Args:
        values: n x F of no more than a few people, -inf for a face that cannot be given; F >= n.

    Returns:
        The face of each, and the sum; what is given where the sum is -inf means nothing.
    """
    count = len(values)
    # Nobody needs more faces than those that n people might prefer.
    faces = np.unique(np.argsort(-values, axis=1, kind="stable")[:, :count])
    before, everyone = _before(count), (1 << count) - 1
    # Of each set of people, given some of the first so many faces, the highest sum; the last entry is of no set.
    best = np.full((len(faces) + 1, everyone + 2), -np.inf)
    best[0, 0] = 0
    for face, now, then in zip(faces, best, best[1:], strict=False):
        then[:-1] = np.maximum(now[:-1], (now[before] + values[:, face]).max(axis=1))
    chosen, people = [-1] * count, everyone
    for face, now, then in zip(faces[::-1], best[-2::-1], best[::-1], strict=False):
        if now[people] < then[people]:  # one of them has this face
            person = int((now[before[people]] + values[:, face]).argmax())
            chosen[person], people = int(face), int(before[people, person])
    return chosen, float(best[-1, everyone])


@lru_cache(maxsize=8)
def _before(count: int) -> npt.NDArray[np.int64]:
    """Return, for each set of people (a bit each) and each of them, the set without; -1 where it is not in the set."""
    sets, one = np.arange(1 << count)[:, None], 1 << np.arange(count)
    found: npt.NDArray[np.int64] = np.where(sets & one, sets - one, -1)
    return found
