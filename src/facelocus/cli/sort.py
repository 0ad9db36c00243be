"""`facelocus sort`: the pictures of a library in the order of one attribute."""

from __future__ import annotations

from typing import Annotated

import typer

from facelocus.cli.found import AsJson, LibraryFolder, opened, print_found


def sort(
    library: LibraryFolder,
    by: Annotated[str, typer.Option("--by", metavar="ATTRIBUTE", help="Smiling, 'not young' ...: the most so first.")],
    limit: Annotated[int, typer.Option(min=1, help="At most so many pictures.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Print pictures in the order of how strongly their strongest face shows an attribute, not only whether."""
    from facelocus.search.find import find
    from facelocus.search.parse import parse_term
    from facelocus.search.query import Query

    with opened(library) as opening:
        query = Query((), parse_term(by, opening.about.attributes))
        typer.echo(f"understood: {query}", err=True)
        print_found(find(opening, query, limit), as_json)
