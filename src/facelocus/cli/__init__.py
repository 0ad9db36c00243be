"""The command `facelocus`: one file a verb; each parses, calls and prints.

A new verb is a file here with a function, and a line in this one.
"""

from __future__ import annotations

import errno
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from facelocus.cli.analyze import analyze
from facelocus.cli.bench import bench
from facelocus.cli.convert import convert
from facelocus.cli.copy import copy, link
from facelocus.cli.data import app as data
from facelocus.cli.doctor import doctor
from facelocus.cli.evaluate import evaluate
from facelocus.cli.export import export
from facelocus.cli.grid import grid
from facelocus.cli.heatmaps import heatmaps
from facelocus.cli.index import index
from facelocus.cli.localise import localise
from facelocus.cli.page import page
from facelocus.cli.quantize import quantize
from facelocus.cli.report import app as report
from facelocus.cli.runs import runs
from facelocus.cli.search import search
from facelocus.cli.serve import serve
from facelocus.cli.sort import sort
from facelocus.cli.summary import summary
from facelocus.cli.train import train
from facelocus.errors import FacelocusError, one_line

# Plain help and plain tracebacks: the fancy ones cost a fifth of a second at every start.
app = typer.Typer(
    name="facelocus",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(analyze)
app.command()(index)
app.command()(search)
app.command()(sort)
app.command()(summary)
app.command()(copy)
app.command()(link)
app.command()(serve)
app.command()(page)
app.command()(evaluate)
app.command()(heatmaps)
app.command()(localise)
app.command()(train)
app.command()(export)
app.command()(quantize)
app.command()(convert)
app.command()(grid)
app.command()(bench)
app.command()(runs)
app.command()(doctor)
app.add_typer(data, name="data")
app.add_typer(report, name="report")


def _version(asked: bool) -> None:
    if asked:
        from facelocus import __version__

        typer.echo(f"facelocus {__version__}")
        raise typer.Exit


@app.callback()
def _facelocus(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error was raised; works anywhere.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Forty facial attributes from a photograph, and where on the face each was seen."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command; a refusal is one line on stderr and the exit code of its class.

    Where whoever read the output has gone, it is 141 and no line.
    """
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names may hold bytes that are no text
    try:
        app([word for word in given if word != "--debug"])
    except FacelocusError as error:
        if debug:
            raise
        _exit(str(error), error.exit_code)
    except MemoryError:
        _exit("out of memory: use smaller pictures or a smaller batch", 1)
    except SystemExit as ended:
        # Typer answers Ctrl-C by 130; by 1, our code for what could not be read, that whoever read the output has gone.
        sys.exit(141 if isinstance(ended.__context__, BrokenPipeError) else ended.code)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.errno in _NO_LOOK and error.filename is not None:
            _exit(f"{error.filename}: {error.strerror}: check the path and its permissions", 1)
        reason = str(error).splitlines()[0] if str(error) else ""
        _exit(f"internal error, {type(error).__name__} {reason}: please report it with the output of --debug", 1)


#: Why it cannot even be said whether there is a file of that name.
_NO_LOOK = (errno.EACCES, errno.ENAMETOOLONG)


def _exit(message: str, code: int) -> None:
    sys.stderr.write(f"facelocus: {one_line(message)}\n")
    sys.exit(code)
