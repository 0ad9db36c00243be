"""A page of sections with figures, written beside the records that it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from facelocus.files import write_atomically


def write_page(folder: Path, sections: Mapping[str, Sequence[str]], drawn: Mapping[str, bool]) -> list[Path]:
    """Write report.md, each section its title and those of its parts that are not empty.

    Args:
        folder: where it goes.
        sections: title -> parts.
        drawn: name of a figure in the folder -> whether it was drawn.

    Returns:
        The page, and the figures that were drawn.

    Raises:
        StorageError: it cannot be written.
    """
    text = "\n\n".join("\n\n".join([title, *filter(None, parts)]) for title, parts in sections.items())
    report = folder / "report.md"
    write_atomically(report, text + "\n")
    return [report, *(folder / name for name, there in drawn.items() if there)]
