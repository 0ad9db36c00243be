"""facelocus data: labelled faces, checked, and packed for training and evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facelocus.cli.data_expand import expand
from facelocus.cli.lab import require_drawing
from facelocus.cli.places import refuse_no_file
from facelocus.errors import StorageError, one_line
from facelocus.files import write_atomically

if TYPE_CHECKING:
    from facelocus.data.check import AttributeCount, Report

app = typer.Typer(no_args_is_help=True, help="Labelled faces.", rich_markup_mode=None)
app.command()(expand)

_SIZES, _ATTRIBUTES, _ITEMS, _NAMES = 5, 40, 10, 4  # the most that are printed; the JSON file has them all

_DATA = typer.Argument(help="Labelled faces: a CSV or Parquet file, a folder or a zip.")


@app.callback()
def _data() -> None:
    """Labelled faces."""


@app.command()
def pack(
    data: Annotated[Path, _DATA],
    to: Annotated[Path, typer.Argument(help="The folder of the Pack.")],
    workers: Annotated[int | None, typer.Option(help="Decoding processes; one a core by default.", min=1)] = None,
) -> None:
    """Decode every face once into a folder that training and evaluation read from."""
    from facelocus.data.pack import Pack
    from facelocus.data.readers import read_table

    made = Pack.build(read_table(data), to, workers)
    typer.echo(f"{to}: {made.description}")


@app.command()
def check(
    data: Annotated[Path, _DATA],
    out: Annotated[Path | None, typer.Option("--json", help="Write all that was found to this file.")] = None,
    draw: Annotated[
        Path | None,
        typer.Option(help="Write attribute frequencies and co-occurrence as PNG into this folder (needs matplotlib)."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Decoding processes; one a core by default.", min=1)] = None,
) -> None:
    """Say what labelled faces hold and all that is wrong with them; decodes every picture.

    Ends with exit code 1 where training would fail or be wrong, else 0.
    """
    refuse_no_file("--json", out)
    if draw is not None:
        _prepare(draw)
    from facelocus.data.check import check as look
    from facelocus.data.readers import read_table
    from facelocus.photos.rows import COLUMNS
    from facelocus.processes import cores

    table = read_table(data, strict=False)
    typer.echo(table.description)
    report = look(table, workers or cores(), {name: meaning for name, (_, meaning) in COLUMNS.items()})
    for line in _lines(report):
        typer.echo(line)
    if out is not None:
        found = json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n"
        write_atomically(out, found.encode("utf-8", "backslashreplace"))  # of a stray byte in a name JSON's escape
    if draw is not None:
        from facelocus.reports.data_charts import draw_co_occurrence, draw_frequencies

        draw_frequencies(table, draw / "frequencies.png")
        draw_co_occurrence(table, draw / "co_occurrence.png")
        typer.echo(f"\n{draw / 'frequencies.png'}, {draw / 'co_occurrence.png'}")
    if report.errors:
        raise typer.Exit(1)


def _prepare(folder: Path) -> None:
    require_drawing()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made ({error.strerror}); name another folder") from error


def _lines(report: Report) -> Iterator[str]:
    yield f"\n{'':12}{'rows':>12}{'pictures':>12}{'people':>12}"
    for split, counts in report.splits.items():
        people = "unknown" if counts.people is None else f"{counts.people:,}"
        yield f"{split:12}{counts.rows:>12,}{counts.pictures:>12,}{people:>12}"
    sizes = ", ".join(f"{size.width} x {size.height} ({size.pictures:,})" for size in report.sizes[:_SIZES])
    rarer = f" and {len(report.sizes) - _SIZES:,} rarer sizes" if len(report.sizes) > _SIZES else ""
    yield f"\nsizes in pixels: {sizes or 'none'}{rarer}; {report.frames:,} are aligned frames, 178 x 218\n"
    yield from _attribute_lines(report)
    for problem in report.problems:
        yield f"\n{problem.severity}: {problem.kind} ({len(problem.items):,}): {problem.message}"
        for item in problem.items[:_ITEMS]:
            others = f" = {len(item.names) - _NAMES:,} more" if len(item.names) > _NAMES else ""
            yield f"  {' = '.join(map(one_line, item.names[:_NAMES]))}{others}: {item.note}"
        if more := len(problem.items[_ITEMS:]):
            yield f"  and {more:,} more (all of them in --json FILE)"
    kinds = f"{_counted(report, 'error')}, {_counted(report, 'warning')}"
    yield f"\n{kinds if report.problems else 'no problems'}"


def _counted(report: Report, severity: str) -> str:
    kinds = sum(problem.severity == severity for problem in report.problems)
    return f"{kinds or 'no'} {'kind' if kinds == 1 else 'kinds'} of {severity}"


def _attribute_lines(report: Report) -> Iterator[str]:
    """The rarest in all first: it is those that a split may have too few of."""
    width = max(len(attribute.name) for attribute in report.attributes) + 2
    yield f"{'percent':{width}}" + "".join(f"{'yes, ' + split:>17}" for split in report.splits) + f"{'unknown':>12}"
    order = sorted(report.attributes, key=lambda attribute: sum(attribute.yes.values()))
    for attribute in order[:_ATTRIBUTES]:
        yield f"{attribute.name:{width}}" + "".join(_cells(attribute))
    if more := len(order[_ATTRIBUTES:]):
        yield f"and {more} attributes more (all of them in --json FILE)"


def _cells(attribute: AttributeCount) -> Iterator[str]:
    """Yes in percent of the known labels of each split, and unknown in percent of all."""
    for yes, no in zip(attribute.yes.values(), attribute.no.values(), strict=True):
        yield f"{100 * yes / (yes + no):>17.1f}" if yes + no else f"{'-':>17}"
    unknown = sum(attribute.unknown.values())
    yield f"{100 * unknown / (unknown + sum(attribute.yes.values()) + sum(attribute.no.values())):>12.1f}"
