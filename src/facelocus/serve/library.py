"""What the server says of a library. Of its pictures it shows thumbnails and names, never a file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from fastapi.routing import APIRoute

from facelocus.errors import InputError, StorageError, UsageError
from facelocus.library.reader import Library
from facelocus.library.scores import Scores
from facelocus.search.find import Found, find, find_like, profile_in
from facelocus.search.lexicon import lexicon_of
from facelocus.search.parse import parse
from facelocus.search.query import Term, parts
from facelocus.search.shares import shares
from facelocus.search.similar import profile_of
from facelocus.serve.known import tag_of, unless_known
from facelocus.serve.pictures import REFUSED
from facelocus.serve.refusals import UnknownError, UnreadableError
from facelocus.serve.shapes import LibraryFace, LibraryPicture, Refusal, Search, Summary, Understood, Words

#: Results in one answer, and how far back a client may ask.
MOST, FURTHEST = 200, 10_000

#: Characters of a query.
_LONGEST = 500

_ASKED: dict[int | str, dict[str, Any]] = {status: REFUSED[status] for status in (401, 422, 500)}
_ABSENT = _ASKED | {404: {"model": Refusal}}

_Id = Annotated[int, InPath(ge=0, lt=2**63)]
_Text = Annotated[str, Query(max_length=_LONGEST, description="how a face looks: 'smiling woman, no glasses'")]


class Shelf:
    """A library for many threads: a reader is for one, so each has its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._of_thread = threading.local()

    def reader(self) -> Library:
        """Return this thread's reader.

        Raises:
            InputError, UsageError, StorageError: as Library.
        """
        if not hasattr(self._of_thread, "reader"):
            self._of_thread.reader = Library(self._folder)
        reader: Library = self._of_thread.reader
        return reader


class _OfLibrary(APIRoute):
    """A route on which a library that cannot be read is the server's failure, whatever it would be elsewhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except (InputError, StorageError) as error:
                raise UnreadableError(str(error)) from error

        return answer


def routes(shelf: Shelf) -> APIRouter:
    """Return everything that is asked of a library."""
    router = APIRouter(tags=["library"], route_class=_OfLibrary)

    @router.get("/search", response_model=Search, responses=_ABSENT)
    def search(
        q: _Text = "",
        like: Annotated[int | None, Query(ge=0, lt=2**63, description="instead of q: a picture's id")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 60,
        offset: Annotated[int, Query(ge=0, le=FURTHEST)] = 0,
    ) -> dict[str, Any]:
        """Find pictures by how a face looks, or by their likeness to one of the library."""
        if bool(q.strip()) == (like is not None):
            raise UsageError("search takes q or like: give one of the two")
        library = shelf.reader()
        if like is None:
            query = parse(q, library.about.attributes)
            understood, found = str(query), find(library, query, limit + 1, offset=offset)
        else:
            profile = profile_in(library, like) if _holds(library, like) else None
            if profile is None:
                raise UnknownError(f"no picture with a face has the id {like}: search again")
            understood, found = "", find_like(library, profile, limit + 1, like, offset)
        return {
            "understood": understood,
            "more": len(found) > limit,
            "results": [_found(one) for one in found[:limit]],
        }

    @router.get("/understood", response_model=Understood, responses=_ASKED)
    def understood(q: _Text) -> dict[str, Any]:
        """Say what a query means, and each of its parts."""
        query = parse(q, shelf.reader().about.attributes)
        told = [{"text": text, "without": "" if left is None else str(left)} for text, left in parts(query)]
        return {"understood": str(query), "terms": told}

    @router.get("/words", response_model=Words, responses=_ASKED)
    def words() -> dict[str, Any]:
        """List the attributes and what each may be called."""
        attributes = shelf.reader().about.attributes
        called: dict[str, list[str]] = {name: [] for name in attributes.names}
        for phrase, meaning in lexicon_of(attributes.names).meanings.items():
            if isinstance(meaning, Term) and not meaning.negated:
                called[meaning.attribute].append(phrase)
        of = dict(zip(attributes.names, attributes.region_of, strict=True))
        return {"attributes": [{"name": name, "region": of[name], "words": called[name]} for name in called]}

    @router.get("/summary", response_model=Summary, responses=_ASKED)
    def summary() -> dict[str, Any]:
        """Count the faces that have each attribute, corrected for how often the model is wrong."""
        library = shelf.reader()
        with library.state() as scores:
            told = []
            for row in shares(scores, library.about) if len(scores.faces) else []:
                share = row.corrected or row.counted
                told.append(
                    {
                        "name": row.attribute,
                        "share": round(share.share, 6),
                        "low": round(share.low, 6),
                        "high": round(share.high, 6),
                        "corrected": row.corrected is not None,
                    }
                )
            return {"pictures": len(scores.pictures), "faces": len(scores.faces), "attributes": told}

    @router.get("/faces/{face}", response_model=LibraryFace, responses=_ABSENT)
    def one_face(face: _Id) -> dict[str, Any]:
        """Say everything about one face."""
        library = shelf.reader()
        with library.state() as scores:
            rows = np.flatnonzero(scores.faces == face)
            if not len(rows):
                raise UnknownError(f"no face has the id {face}: search again")
            return _face(library, scores, int(rows[0]))

    @router.get("/pictures/{picture}", response_model=LibraryPicture, responses=_ABSENT)
    def one_picture(picture: _Id) -> dict[str, Any]:
        """Say everything about one picture."""
        library = shelf.reader()
        with library.state() as scores:
            place = int(np.searchsorted(scores.pictures, picture))
            if not _is_at(scores, place, picture):
                raise _no_picture(picture)
            rows = range(int(scores.starts[place]), int(scores.starts[place + 1]))
            return {
                "picture": picture,
                "name": _name(library.path(picture)),
                "thumbnail": f"thumbnails/{picture}",
                "faces": [_face(library, scores, row) for row in rows],
            }

    @router.get(
        "/thumbnails/{picture}",
        response_class=Response,
        responses=_ABSENT | {200: {"content": {"image/jpeg": {}}}, 304: {"description": "as before"}},
    )
    def thumbnail(picture: _Id, request: Request) -> Response:
        """Return a small JPEG of a picture, its longer side 192 pixels."""
        jpeg = shelf.reader().thumbnail(picture)
        if jpeg is None:
            raise _no_picture(picture)
        # An id may come to be of another picture: it is asked for anew each time.
        headers = {"ETag": tag_of(jpeg), "Cache-Control": "private, no-cache"}
        return unless_known(request, Response(jpeg, media_type="image/jpeg", headers=headers))

    return router


def _holds(library: Library, picture: int) -> bool:
    with library.state() as scores:
        return _is_at(scores, int(np.searchsorted(scores.pictures, picture)), picture)


def _is_at(scores: Scores, place: int, picture: int) -> bool:
    return place < len(scores.pictures) and int(scores.pictures[place]) == picture


def _no_picture(picture: int) -> UnknownError:
    return UnknownError(f"no picture has the id {picture}: search again")


def _found(one: Found) -> dict[str, Any]:
    faces = [face.to_json() | {"id": face.face.id} for face in one.faces]
    return {
        "picture": one.picture,
        "name": _name(one.path),
        "score": round(one.score, 6),
        "thumbnail": f"thumbnails/{one.picture}",
        "faces": faces,
    }


def _face(library: Library, scores: Scores, row: int) -> dict[str, Any]:
    (face,) = library.faces([int(scores.faces[row])])
    (place,) = scores.picture_of(np.array([row]))
    probabilities = profile_of(scores, row)
    return {
        "id": face.id,
        "picture": int(scores.pictures[place]),
        "face": face.number,
        "box": [round(side, 2) for side in face.box],
        "trust": round(face.trust, 4),
        "attributes": {
            name: round(float(value), 6)
            for name, value in zip(library.about.attributes.names, probabilities, strict=True)
        },
    }


def _name(path: Path) -> str:
    """Return a file's name as text: bytes that are none are escaped."""
    return path.name.encode("utf-8", "backslashreplace").decode()
