"""What is printed of pictures that were found in a library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facelocus.errors import one_line

if TYPE_CHECKING:
    from facelocus.library.reader import Library
    from facelocus.search.find import Found
    from facelocus.search.query import Query

LibraryFolder = Annotated[Path, typer.Argument(metavar="LIBRARY", help="What `facelocus index` made.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON list instead of text.")]


@contextmanager
def opened(folder: Path) -> Iterator[Library]:
    """Open a library for a command."""
    from facelocus.library.reader import Library

    with closing(Library(folder)) as library:
        yield library


def understood(text: str, library: Library) -> Query:
    """Parse a query and say on stderr what was understood."""
    from facelocus.search.parse import parse

    query = parse(text, library.about.attributes)
    typer.echo(f"understood: {query}", err=True)
    return query


def print_found(found: Sequence[Found], as_json: bool, form: str = "4.0%") -> None:
    """Print pictures, one a line, or all as one JSON list; `form` is of the score."""
    if as_json:
        # A path may hold bytes that are no text: their escape is ASCII.
        typer.echo("[" + ",\n".join(json.dumps(one.to_json()) for one in found) + "]")
        return
    for one in found:
        typer.echo(f"{one.score:{form}}  {one_line(str(one.path))}")
        for face in one.faces:
            terms = ", ".join(f"{term} {value:.0%}" for term, value in face.terms.items())
            typer.echo(f"      face {face.face.number}: {terms}; trust {face.face.trust:.2f}")
    if not found:
        typer.echo("nothing found", err=True)
