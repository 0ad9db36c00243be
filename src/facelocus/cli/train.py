"""facelocus train: a recipe and labelled faces to a run folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from facelocus.errors import UsageError


def train(
    recipe: Annotated[
        str | None, typer.Argument(help="Name of a recipe in facelocus/recipes, such as default.", show_default=False)
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Labelled faces: CelebA, a table, a folder a class, or a Pack.")
    ] = None,
    to: Annotated[Path | None, typer.Option(help="The run folder; an unfinished run there goes on.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key=value that differs from the recipe, repeatable.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Weights to start from: a shipped name, an .onnx file, a finished run's folder, or what convert made.",
        ),
    ] = None,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RUN", help="A trained network to learn from beside the labels, named as in --from; repeatable."
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Do this run again, in --to: its recipe, settings, data and start."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train a network; stop with Ctrl-C and go on with the same command.

    Several processes share each batch under torchrun: torchrun --nproc-per-node 2 -m facelocus train ...
    """
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.cli.models import open_start, weights_path
    from facelocus.data.pack import open_pack
    from facelocus.recipes import load_recipe
    from facelocus.training.loop import choose_device
    from facelocus.training.loop import train as run
    from facelocus.training.record import Origin
    from facelocus.training.replay import Replay
    from facelocus.training.teachers import Teachers
    from facelocus.training.world import leads

    if to is None:
        raise UsageError("train needs --to, the folder of the run")
    again = None
    if replay is not None:
        if recipe or set_ or from_ or teacher:
            raise UsageError(
                "--replay takes recipe, settings, start and teachers from the run: give only --data and --to"
            )
        if to.resolve() == replay.resolve():
            raise UsageError(f"--to {to}: is the run that is to be done again: name another folder")
        again = Replay.read(replay)
        recipe, from_, teacher = again.record["recipe"], again.origin.start, list(again.origin.teachers)
        data = data or Path(again.origin.data)
    if recipe is None or data is None:
        raise UsageError("train needs a recipe and --data: facelocus train default --data CELEBA --to RUN")
    start = open_start(from_)
    if again is not None:
        chosen = again.recipe
    else:
        chosen = load_recipe(recipe)
        if chosen.transfer and start is not None:
            chosen = start.adapt(chosen)
        chosen = chosen.with_settings(set_ or [])
    where = choose_device(device)
    pack = open_pack(data)
    if again is not None:
        again.check_data(pack)
    teachers = None
    if teacher:
        teachers = Teachers.read(list(map(weights_path, teacher)), pack.attributes)
    if again is not None:
        again.check_weights(start, teachers)
    origin = Origin(
        _command(recipe, data, to, from_, teacher or [], set_ or [], replay),
        str(data.resolve()),
        None if from_ is None else _lasting(from_),
        tuple(map(_lasting, teacher or ())),
    )
    run(chosen, pack, to, name=recipe, device=where, start=start, teachers=teachers, origin=origin)
    if not leads():
        return
    if again is not None:
        typer.echo(f"{to}: {again.outcome(to)}")
    typer.echo(f"{to}: finished; next: facelocus export {to} model.onnx")


def _lasting(name: str) -> str:
    """Return a shipped name as it is, and a path as an absolute one."""
    from facelocus.model import shipped_models

    return name if name in shipped_models() else str(Path(name).resolve())


def _command(
    recipe: str | None,
    data: Path,
    to: Path,
    start: str | None,
    teachers: list[str],
    settings: list[str],
    replay: Path | None,
) -> str:
    """Return the command that was given, with files by their last name only."""
    words = ["facelocus", "train"]
    words += ["--replay", _last_name(replay)] if replay else [str(recipe)]
    words += ["--data", _last_name(data), "--to", _last_name(to)]
    if start and not replay:
        words += ["--from", _last_name(Path(start))]
    for teacher in () if replay else teachers:
        words += ["--teacher", _last_name(Path(teacher))]
    for setting in settings:
        words += ["--set", setting]
    return shlex.join(words)


def _last_name(path: Path) -> str:
    # `.` has no name of its own, and `..` one that says nothing.
    return path.name if path.name not in ("", "..") else path.resolve().name
