"""`facelocus search`: the pictures of a library that match a description."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facelocus.cli.found import AsJson, LibraryFolder, opened, print_found, understood
from facelocus.errors import InputError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from facelocus.library.reader import Library


def search(
    library: LibraryFolder,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="How a face looks, in words.")] = None,
    like: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Instead of a query: faces like the largest of this picture.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many pictures.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Find pictures by how a face looks: 'smiling woman, blond or brown hair, no glasses, not blurry'.

    A comma means and; "or" binds tighter. "very" asks for more, "maybe" for less. "two people, one with a hat",
    "exactly 3 faces", "nobody smiling" speak of all faces of a picture. "by smiling" or "youngest first" at the end
    puts in order what matches. What was understood is printed on stderr; a word that is not known is refused.

    The first number is how probable it is that the picture is as asked for; below it stands which face, and how
    probable each term is of it. With --json the output is one list, an entry a picture: "path", "score", "faces".
    """
    if (query is None) == (like is None):
        raise UsageError("search takes a query or --like PICTURE: give one of the two")
    from facelocus.search.find import find, find_like

    with opened(library) as opening:
        if query is not None:
            print_found(find(opening, understood(query, opening), limit), as_json)
        elif like is not None:
            picture, profile = _profile(opening, like)
            print_found(find_like(opening, profile, limit, picture), as_json, "5.1f")


def _profile(library: Library, photo: Path) -> tuple[int | None, npt.NDArray[np.float64]]:
    """Return the id of a picture, None where the library has no such, and the probabilities of its largest face."""
    import numpy as np

    from facelocus.search.find import profile_in

    if not photo.is_file():
        raise InputError(f"{photo} is not there: check the path")
    picture = library.find(photo)
    if picture is not None:
        profile = profile_in(library, picture)
    else:
        from facelocus.model import Model, shipped_models
        from facelocus.photos.analyze import analyze

        its_name = library.about.model
        model = Model.load(its_name if its_name in shipped_models() else "default")
        if model.sha256 != library.about.sha256:
            raise UsageError(f"{photo} is not in the library, whose model is not a shipped one: index it first")
        faces = analyze(photo, model=model, aligned=library.about.aligned)
        profile = np.array(list(faces[0].attributes.values())) if faces else None
    if profile is None:
        raise InputError(f"{photo} shows no face: name another picture")
    return picture, profile
