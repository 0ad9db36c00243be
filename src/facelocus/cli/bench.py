"""facelocus bench: how fast this machine trains a recipe or runs a model file, and what PSE costs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from facelocus.errors import StorageError, UsageError


def bench(
    recipe: Annotated[
        str | None, typer.Argument(help="Name of a recipe: its training step is measured.", show_default=False)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A shipped name or an .onnx file: what it answers a second.")
    ] = None,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where a record and a picture go.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key=value that differs from the recipe, repeatable.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns that ours and the reference take.")] = 9,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda; a model file runs on the cpu.")] = "auto",
) -> None:
    """Measure ours against a plain reference, with and without attention, in turns."""
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.bench.inference import inference_record
    from facelocus.bench.training import training_record
    from facelocus.recipes import load_recipe
    from facelocus.training.loop import choose_device

    if recipe is None and model is None:
        raise UsageError("bench needs a recipe or --model: facelocus bench default, facelocus bench --model default")
    if recipe is None and set_:
        raise UsageError("--set changes a recipe: name one, facelocus bench default --set batch_size=32")
    if to is not None:
        try:
            to.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{to}: cannot be made ({error.strerror}): choose another folder") from error
    if recipe is not None:
        chosen, where = load_recipe(recipe).with_settings(set_ or []), choose_device(device)
        _show(training_record(chosen, recipe, where, rounds), to)
    if model is not None:
        _show(inference_record(model, rounds), to)


def _show(record: dict[str, Any], to: Path | None) -> None:
    """Print a record, and write it with its picture where a folder is given."""
    from facelocus.bench.parts import draw_parts, parts_table
    from facelocus.files import write_record

    name = record.get("recipe") or record["model"]
    typer.echo(f"{name}, {record['what'].replace('_', ' ')}, {record['device_name']}, {record['precision']}")
    low, high = record["images_per_second_quartiles"]
    typer.echo(
        f"  {record['images_per_second']:,.4g} images a second ({low:,.4g} to {high:,.4g}), "
        f"{record['times_the_reference']:.2f} times the reference's {record['reference_images_per_second']:,.4g}"
    )
    if "share_of_arithmetic_limit" in record:
        gigaflop, teraflop_a_second = record["flops_an_image"] / 1e9, record["matrix_flops_per_second"] / 1e12
        typer.echo(
            f"  {100 * record['share_of_arithmetic_limit']:.1f} % of the arithmetic limit "
            f"({gigaflop:.3g} GFLOP an image, {teraflop_a_second:.3g} TFLOP/s)"
        )
    if "pse_share" in record:
        for key, whose in (("", "ours"), ("reference_", "the reference")):
            typer.echo(
                f"  attention costs {whose} {record[f'{key}pse_microseconds_an_image']:,.4g} microseconds an image, "
                f"{100 * record[f'{key}pse_share']:.1f} %"
            )
    if "parts" in record:
        typer.echo(parts_table(record))
    if to is None:
        return
    stem = f"{record['what']}_{name}_{record['device']}_{record['precision']}"
    write_record(to / f"{stem}.json", record)
    if "parts" in record:
        draw_parts(record, to / f"{stem}.png")
    typer.echo(f"{to}: {stem}.json written")
