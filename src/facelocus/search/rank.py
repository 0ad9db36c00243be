"""A query -> the pictures that match best, each with the faces and the terms that made it so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facelocus.attributes import AttributeSet
from facelocus.library.scores import Ids, Scores
from facelocus.search.evidence import Evidence, Logs
from facelocus.search.people import rank_people
from facelocus.search.query import Expression, Query, Term, terms

#: Pictures that match at least so well are put in order, or taken away.
MATCHES = 0.5

# Faces that are looked at first, for what a good match is, and how many of these are taken for one.
_SAMPLE = 8192
_OF_SAMPLE = 4


@dataclass(frozen=True)
class Seen:
    """A face that a picture was found by.

    Attributes:
        row: in the scores.
        probability: that it is as asked for.
        terms: of each term that was asked for, or is ordered by, how probable it is of this face.
    """

    row: int
    probability: float
    terms: dict[str, float]


@dataclass(frozen=True)
class Match:
    """A picture that was found.

    Attributes:
        picture: its position in the scores' pictures.
        score: how probable it is that the picture is as asked for, in [0, 1].
        faces: that it was found by, as the people were asked for.
    """

    picture: int
    score: float
    faces: tuple[Seen, ...]


def rank(
    scores: Scores, attributes: AttributeSet, query: Query, limit: int, least: float = 0.0, offset: int = 0
) -> list[Match]:
    """Return the pictures that match best, the best first, or in the order that is asked for.

    Args:
        scores: of a library.
        attributes: of its scores.
        query: see search/parse.py.
        limit: at most so many.
        least: leave out what scores less; where an order is asked for, at least MATCHES.
        offset: leave out the first so many, which are not explained then.
    """
    evidence = Evidence(scores, attributes)
    if not query.people and query.by is not None:
        return _of_one_face(evidence, query.by, None, limit, least, offset)
    (people, *others) = query.people
    if not others and people.so is not None and (people.quantity, people.number) == ("at least", 1):
        return _of_one_face(evidence, people.so, query.by, limit, least, offset)
    least = max(least, MATCHES if query.by else 0.0)
    found = []
    for picture, log, faces in rank_people(evidence, query, offset + limit, least)[offset:]:
        seen = tuple(_seen(evidence, row, so, query.by) for row, so in faces)
        found.append(Match(int(picture), float(np.exp(log)), seen))
    return found


def _of_one_face(
    evidence: Evidence, so: Expression, by: Term | None, limit: int, least: float, offset: int
) -> list[Match]:
    """Rank pictures by their best face."""
    if by is None:
        rows = best_faces(evidence, so, offset + limit, least)
    else:
        rows = np.flatnonzero(evidence.may_reach(so, np.log(max(least, MATCHES))))
        rows = rows[evidence.logs(so, rows) >= np.log(max(least, MATCHES))]
        rows = _one_a_picture(evidence.scores, rows[np.argsort(-evidence.strength(by, rows), kind="stable")])
    rows = rows[offset : offset + limit]
    pictures = evidence.scores.picture_of(rows)
    seen = [_seen(evidence, int(row), so, by) for row in rows]
    return [Match(int(picture), face.probability, (face,)) for picture, face in zip(pictures, seen, strict=True)]


def best_faces(evidence: Evidence, so: Expression, limit: int, least: float = 0.0) -> Ids:
    """Return the best face of each of the best pictures, best first, ties in the order of the library; int64 rows."""
    count = len(evidence.scores.faces)
    floor = np.log(least) if least > 0 else -np.inf
    if count > _SAMPLE:
        stride = count // _SAMPLE
        sample = np.sort(evidence.logs(so, slice(None, None, stride)))
        wanted = _OF_SAMPLE + 2 * limit // stride
        while wanted < len(sample):
            bar = max(float(sample[-wanted]), floor)
            rows, logs = _reaching(evidence, so, bar)
            kept = _one_a_picture(evidence.scores, rows[np.argsort(-logs, kind="stable")])
            if len(kept) >= limit or bar == floor:
                return kept[:limit]
            wanted *= 8
    rows, logs = _reaching(evidence, so, floor)
    return _one_a_picture(evidence.scores, rows[np.argsort(-logs, kind="stable")])[:limit]


def _reaching(evidence: Evidence, so: Expression, bar: float) -> tuple[Ids, Logs]:
    """Return the faces whose logarithm is at least this, and the logarithms."""
    rows = np.flatnonzero(evidence.may_reach(so, bar)) if bar > -np.inf else np.arange(len(evidence.scores.faces))
    logs = evidence.logs(so, rows)
    kept = logs >= bar
    return rows[kept], logs[kept]


def _one_a_picture(scores: Scores, rows: Ids) -> Ids:
    """Keep the first row of each picture, in order."""
    _, first = np.unique(scores.picture_of(rows), return_index=True)
    return rows[np.sort(first)]


def _seen(evidence: Evidence, row: int, so: Expression, by: Term | None) -> Seen:
    face = np.array([row])
    told = [*terms(so), *([] if by is None else [by])]
    each = {str(term): float(np.exp(evidence.logs(term, face)[0])) for term in told}
    return Seen(row, float(np.exp(evidence.logs(so, face)[0])), each)
