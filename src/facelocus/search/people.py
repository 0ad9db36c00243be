"""Pictures of several people: how many faces, and which of them is whom."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from itertools import permutations

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
    about = {people: evidence.logs(people.so, rows) for people in whom if people.so is not None}
    for people in query.people:
        if people.so is None:
            continue
        if people in about:
            logs += within.sum_of_best(about[people], people.number)
        else:
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
        chosen, lost = _assigned({people: about[people][first:last] for people in whom})
        log = float(logs[picture]) - lost
        if np.exp(log) < least:
            continue
        faces = [(int(rows[first + place]), people.so) for people, place in chosen if people.so is not None]
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


def _assigned(logs: dict[People, Logs]) -> tuple[list[tuple[People, int]], float]:
    """Give each of the people a face of one picture, no two the same, so that all together are most probable.

    Returns:
        Each of them with the position of the face, and how much is lost to everyone having the best face.
    """
    slots = [people for people in logs for _ in range(people.number)]
    best: tuple[float, list[int]] = (-np.inf, [])
    for order in permutations(range(len(slots))) if len(logs) > 1 else [range(len(slots))]:
        total, taken = 0.0, dict[int, int]()
        for slot in order:
            values = np.array(logs[slots[slot]], np.float64)
            values[list(taken.values())] = -np.inf
            taken[slot] = int(values.argmax())
            total += float(values[taken[slot]])
        if total > best[0]:
            best = total, [taken[slot] for slot in range(len(slots))]
    unbound = sum(float(np.sort(values)[::-1][: people.number].sum()) for people, values in logs.items())
    return list(zip(slots, best[1], strict=True)), unbound - best[0] if slots else 0.0
