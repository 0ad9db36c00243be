"""`facelocus copy` and `facelocus link`: pictures that match a description, gathered in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facelocus.cli.found import LibraryFolder, opened, understood
from facelocus.errors import one_line

if TYPE_CHECKING:
    from facelocus.search.deliver import Delivered

Words = Annotated[str, typer.Argument(metavar="QUERY", help="How a face looks, in words, as for search.")]
To = Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder; made where there is none.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many pictures, the best; all unless given.")]


def copy(library: LibraryFolder, query: Words, to: To, limit: Limit = None) -> None:
    """Copy the pictures that match, those that are more likely than not as asked for; nothing is written over."""
    from facelocus.search.deliver import copy_pictures

    _gather(library, query, to, limit, copy_pictures, "copied")


def link(library: LibraryFolder, query: Words, to: To, limit: Limit = None) -> None:
    """Make symbolic links to the pictures that match, those more likely than not as asked for."""
    from facelocus.search.deliver import link_pictures

    _gather(library, query, to, limit, link_pictures, "linked")


def _gather(
    folder: Path, text: str, to: Path, limit: int | None, put: Callable[[Iterable[Path], Path], Delivered], done: str
) -> None:
    from facelocus.search.find import find
    from facelocus.search.rank import MATCHES

    with opened(folder) as library:
        query = understood(text, library)
        with library.state() as scores:
            most = limit or max(1, len(scores.pictures))
        found = find(library, query, most, MATCHES)
    result = put((one.path for one in found), to)
    for reason in result.failed:
        typer.echo(f"facelocus: {one_line(reason)}", err=True)
    typer.echo(f"{result.put:,} {done}, {result.there:,} were there already; {to}")
    if result.failed:
        raise typer.Exit(1)
