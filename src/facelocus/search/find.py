"""Searching a library: what is found, with where it lies and why it was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.library.reader import Face, Library
from facelocus.search.query import Query, Term
from facelocus.search.rank import Match, Seen, rank
from facelocus.search.similar import agreement, most_alike, profile_of, shares_of

# Attributes that a likeness is explained with.
_TOLD = 5


@dataclass(frozen=True)
class FoundFace:
    """A face that a picture was found by.

    Attributes:
        face: which of the picture's, with its box and trust.
        probability: that it is as asked for; None for a likeness.
        terms: what was asked for, or what is alike, each with its probability.
    """

    face: Face
    probability: float | None
    terms: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "face": self.face.number,
            "box": [round(side, 2) for side in self.face.box],
            "trust": round(self.face.trust, 4),
            "probability": None if self.probability is None else round(self.probability, 6),
            "terms": {term: round(value, 6) for term, value in self.terms.items()},
        }


@dataclass(frozen=True)
class Found:
    """A picture that was found.

    Attributes:
        picture: its id in the library.
        path: where it lies.
        score: how probable it is that it is as asked for; for a likeness, how much more alike than any two faces.
        faces: that it was found by.
    """

    picture: int
    path: Path
    score: float
    faces: tuple[FoundFace, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {"path": str(self.path), "score": round(self.score, 6), "faces": [face.to_json() for face in self.faces]}


def find(library: Library, query: Query, limit: int, least: float = 0.0, offset: int = 0) -> list[Found]:
    """Return the pictures that match best, `limit` of them after the first `offset`: see rank."""
    with library.state() as scores:
        matches = rank(scores, library.about.attributes, query, limit, least, offset)
        return [_found(library, int(scores.pictures[match.picture]), match, scores.faces) for match in matches]


def find_like(
    library: Library, profile: npt.NDArray[np.float64], limit: int, but: int | None = None, offset: int = 0
) -> list[Found]:
    """Return the pictures with the faces most like a profile of probabilities, A: `limit` after the first `offset`.

    Args:
        but: the id of a picture that is left out.
    """
    names = library.about.attributes.names
    with library.state() as scores:
        shares = shares_of(scores)
        rows, alike = most_alike(scores, profile, offset + limit + 1)
        pictures = scores.pictures[scores.picture_of(rows)]
        others = np.flatnonzero(pictures != but)[offset : offset + limit]
        found = []
        for row, score, picture in zip(rows[others], alike[others], pictures[others].tolist(), strict=True):
            theirs = np.clip(profile_of(scores, int(row)), 1e-6, 1 - 1e-6)
            each = agreement(np.clip(profile, 1e-6, 1 - 1e-6), theirs, shares)
            told = {
                str(Term(names[a], bool(theirs[a] < 0.5))): float(max(theirs[a], 1 - theirs[a]))
                for a in np.argsort(-each)[:_TOLD]
            }
            (face,) = library.faces([int(scores.faces[row])])
            found.append(Found(picture, library.path(picture), float(score), (FoundFace(face, None, told),)))
    return found


def profile_in(library: Library, picture: int) -> npt.NDArray[np.float64] | None:
    """Return the probabilities of the largest face of a picture of the library, A; None where it has none."""
    with library.state() as scores:
        place = int(np.searchsorted(scores.pictures, picture))
        if place == len(scores.pictures) or scores.pictures[place] != picture:  # an index took it out meanwhile
            return None
        first, last = scores.starts[place : place + 2]
        return None if first == last else profile_of(scores, int(first))


def _found(library: Library, picture: int, match: Match, ids: npt.NDArray[np.int64]) -> Found:
    faces = library.faces([int(ids[seen.row]) for seen in match.faces])
    seen = tuple(_face(face, seen) for face, seen in zip(faces, match.faces, strict=True))
    return Found(picture, library.path(picture), match.score, seen)


def _face(face: Face, seen: Seen) -> FoundFace:
    return FoundFace(face, seen.probability, seen.terms)
