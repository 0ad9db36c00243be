"""Pictures of several people: how many faces, and which of them is whom."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from facelocus.search.evidence import Evidence, Logs, Mask
from facelocus.search.query import Expression, People, Query

#: A picture: its position in the scores, the logarithm of its score, and rows of faces with what they are found for.
Ranked = tuple[int, float, list[tuple[int, Expression]]]

# Pictures in which people are told apart at once.
_TOGETHER = 64


def rank_people(evidence: Evidence, query: Query, limit: int, least: float) -> list[Ranked]:
    """Return the best pictures, the best first (or in the query's order), of those that score `least` or more."""
    scores = evidence.scores
    counts = np.diff(scores.starts)
    fits = _of_numbers(query, counts)
    logs = np.where(fits, 0.0, -np.inf)
    rows = np.flatnonzero(np.repeat(fits, counts))
    within = _Within(np.repeat(np.arange(len(counts)), counts)[rows], len(counts))
    whom = [p for p in query.people if p.so is not None and p.quantity == "at least" and p.number]
    about = [evidence.logs(people.so, rows) for people in whom if people.so is not None]
    for people, values in zip(whom, about, strict=True):
        logs += within.sum_of_best(values, people.number)
    for people in query.people:
        if people.so is not None and people.quantity != "at least":
            logs += _of_all(evidence, people, rows, within)
    order = _order(evidence, query, rows, within, logs, least)
    if not order.size or limit < 1:  # "10000000000 men" need not even be counted out
        return []
    told_apart = len(whom) > 1
    found: list[Ranked] = []
    best: list[float] = []
    for picture, chosen, lost in _assigned(order, whom, about, within):
        # Telling people apart makes no picture better: those that come are at most as good as they are in this order.
        if len(found) >= limit and (not told_apart or query.by is not None or logs[picture] <= best[-limit]):
            break
        log = float(logs[picture]) - lost
        if log == -np.inf or np.exp(log) < least:
            continue
        faces = [(int(rows[face]), so) for so, face in chosen]
        faces += [(int(row), so) for so in _said_of_all(query) for row in rows[within.faces(picture)]]
        found.append((picture, log, faces))
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

    def faces(self, picture: int) -> slice:
        """Return where the faces of a picture are."""
        return slice(*np.searchsorted(self.group, [picture, picture + 1]))

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


def _assigned(
    pictures: npt.NDArray[np.int64], whom: list[People], about: list[Logs], within: _Within
) -> Iterator[tuple[int, list[tuple[Expression, int]], float]]:
    """Give each of the people a face of each picture, no two the same, so that all together are most probable.

    Args:
        pictures: with faces enough for all of them.
        whom: the people, each so many as its number.
        about: of each of `whom`, the logarithm of how probable each face is.
        within: the faces of each picture.

    Yields:
        A picture, what each of the people is with its face, and how much is lost to everyone having the best face.
    """
    slots = [people.so for people in whom for _ in range(people.number) if people.so is not None]
    for start in range(0, len(pictures), _TOGETHER):
        some = pictures[start : start + _TOGETHER]
        first, last = np.searchsorted(within.group, [some, some + 1])
        faces = first[:, None] + np.arange((last - first).max(initial=0))
        there = faces < last[:, None]
        faces[~there] = 0
        logs = [np.where(there, values[faces], -np.inf).astype(np.float64) for values in about]
        best = [np.argsort(-values, axis=1, kind="stable") for values in logs]
        best = [order[:, : people.number] for order, people in zip(best, whom, strict=True)]
        chosen, lost = np.concatenate([np.zeros((len(some), 0), np.int64), *best], axis=1), np.zeros(len(some))
        if len(whom) > 1:
            each = np.repeat(np.stack(logs, axis=1), [people.number for people in whom], axis=1)
            unbound = np.take_along_axis(each, chosen[:, :, None], axis=2).sum(axis=(1, 2))
            chosen, total = assigned(each)
            lost = unbound - total
        for picture, places, less in zip(some.tolist(), (first[:, None] + chosen).tolist(), lost.tolist(), strict=True):
            yield picture, list(zip(slots, places, strict=True)), less


def assigned(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Give each of n people another face, for each picture so that the sum of the values is highest.

    Args:
        values: pictures x n, no more than a few, x faces, n or more; -inf for a face that cannot be given.

    Returns:
        The face of each, pictures x n, and the sums; what is given where a sum is -inf means nothing.
    """
    pictures, count, faces = values.shape
    # Of each set of people (a bit each) and each of them, the set without; -1 where the set is without already.
    sets, one = np.arange(1 << count)[:, None], 1 << np.arange(count)
    before = np.where(sets & one, sets - one, -1)
    # Of each set, given some of the first so many faces, the highest sum; the last entry is of no set.
    best = np.full((faces + 1, (1 << count) + 1, pictures), -np.inf)
    best[0, 0] = 0
    for face, of_face in enumerate(np.ascontiguousarray(values.T)):
        best[face + 1, :-1] = np.maximum(best[face, :-1], (best[face][before] + of_face).max(axis=1))
    every, left = np.arange(pictures), np.full(pictures, (1 << count) - 1)
    chosen = np.zeros((pictures, count), np.int64)
    for face in reversed(range(faces)):
        has = best[face, left, every] < best[face + 1, left, every]  # where one of those left has this face
        who = (best[face, before[left], every[:, None]] + values[:, :, face]).argmax(axis=1)
        chosen[every[has], who[has]] = face
        left = np.where(has, before[left, who], left)
    return chosen, best[-1, -2]
