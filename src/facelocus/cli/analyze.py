"""`facelocus analyze`: photographs -> faces and their attributes."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from facelocus.cli.places import refuse_no_file
from facelocus.errors import MissingExtraError, UsageError


def analyze(
    photos: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, folders of pictures, patterns; - for a list on standard input; with --ray also addresses."
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write a table: FILE ends in .parquet, .csv or .jsonl; with --ray a folder or an address.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list instead of text.")] = False,
    draw: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write an annotated picture of each photo here.")
    ] = None,
    write_xmp: Annotated[
        bool, typer.Option("--write-xmp", help="Write the attributes as keywords into PHOTO.xmp beside each photo.")
    ] = False,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The pictures are face crops framed like CelebA's aligned ones.")
    ] = False,
    model: Annotated[
        str, typer.Option(help="A shipped name, an .onnx file, or a run's folder (needs the lab; not with --out).")
    ] = "default",
    flip: Annotated[
        bool, typer.Option("--flip", help="Average each face with its mirror image, as `default` does unasked.")
    ] = False,
    min_quality: Annotated[
        float, typer.Option(min=0, max=1, help="Leave out faces that can be trusted less than this; 0 keeps all.")
    ] = 0.0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that work at once with --out; all cores unless given.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be analyzed and where it would go; do nothing.")
    ] = False,
    ray: Annotated[
        bool, typer.Option("--ray", help="Work on Ray: on the cluster at $RAY_ADDRESS, or on this machine's cores.")
    ] = False,
    partition: Annotated[
        int | None, typer.Option(min=1, help="Photographs of each file that --ray writes; 1,000 unless given.")
    ] = None,
) -> None:
    """Find the faces in photographs and say what each one shows; a star marks what is above its threshold.

    A folder stands for all pictures in it and below it, in the order of their names; hidden files and drawings of
    --draw are left out. Each picture is analyzed once, by however many ways it was named.

    With --out the rows of all faces go into one table, made on all cores. Stopped at any moment, the same command goes
    on; FILE.partial holds what is done, and FILE is there when it is complete.

    With --ray --out names a folder, or an address such as s3://BUCKET/FACES, and photographs may lie at addresses too.
    They are listed once and shared out; each --partition of them becomes one Parquet file, whole or not there.

    With --json the output is one list with an entry a photo, in order: its "path" and its "faces", the largest
    first. A face has "box" (x0, y0, x1, y1) and "landmarks" (five x, y: eyes, nose tip, corners of the mouth) in
    pixels of the upright photo, the detector's "score", "quality" (how much there is to see; "trust" sums it up,
    0 to 1) and "attributes", each name with its probability. With --aligned, score and landmarks are null.

    A photo without a face has an empty list, or one row with face 0. One that cannot be read has an "error" ("type",
    "message") instead of "faces" and a line on stderr; the others go on, and the exit code is 1.

    With --draw each photo gives DIR/NAME.facelocus.png, further photos of that name NAME-2.facelocus.png.
    """
    table = None if out is None or ray else Path(out)
    if partition is not None and not ray:
        raise UsageError("--partition is of --ray: give both, or neither")
    if ray:
        _check_ray(out, {"--json": as_json, "--draw": draw, "--write-xmp": write_xmp, "--dry-run": dry_run})
    elif table is not None:
        from facelocus.photos.tables import check_format

        if as_json:
            raise UsageError("--json prints and --out writes: choose one; a table that ends in .jsonl holds JSON")
        refuse_no_file("--out", table)
        check_format(table)
    from facelocus.cli.face_table import make_partitions, make_table, print_listing, print_pictures, print_plan
    from facelocus.cli.face_text import print_faces
    from facelocus.cli.models import open_model
    from facelocus.model import Model
    from facelocus.photos.listing import LIST, Arguments
    from facelocus.photos.request import Options, Request

    arguments = Arguments(photos, typer.get_binary_stream("stdin").read() if LIST in photos else b"")
    options = Options(aligned, flip, min_quality, sidecars=write_xmp, drawings=draw)
    loaded = open_model(model)
    if dry_run:
        print_listing(arguments)
        print_pictures(options)
    if out is not None:
        if not isinstance(loaded, Model):
            raise UsageError("--out takes a model file, not a run's folder: make one with `facelocus export`")
        request = Request.of(loaded, options)
        if table is None:
            whole = make_partitions(arguments, out, request, partition or 1000, workers)
        elif dry_run:
            print_plan(arguments, table, request)
            return
        else:
            whole = make_table(arguments, table, request, workers)
        if not whole:
            raise typer.Exit(1)
    elif not dry_run and not print_faces(arguments.photographs(), loaded, options, as_json):
        raise typer.Exit(1)


def _check_ray(out: str | None, others: Mapping[str, object]) -> None:
    """Refuse what cannot go with --ray.

    Raises:
        UsageError: there is no --out, it is a file, or another option asks for what only this machine could do.
        MissingExtraError: Ray is not installed.
    """
    for option, given in others.items():
        if given:
            raise UsageError(f"{option} and --ray: choose one; --ray writes tables and nothing else")
    if out is None:
        raise UsageError("--ray writes a folder of tables: name it with --out")
    if Path(out).is_file():
        raise UsageError(f"--out {out}: is a file, and --ray writes a folder: choose another name")
    missing = [name for name in ("ray", "pyarrow", "fsspec") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"--ray needs {', '.join(missing)}: pip install 'facelocus[ray]'")
