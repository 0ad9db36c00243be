"""`facelocus heatmaps`: where each sub-network looks, in one face or on average."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facelocus.cli.models import ModelName, model_record, open_model, refuse_no_masks
from facelocus.cli.places import refuse_no_file
from facelocus.cli.splits import open_split
from facelocus.errors import InputError, UsageError
from facelocus.files import write_atomically
from facelocus.provenance import commit, cpu_name, now, versions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    from facelocus.data import Pack
    from facelocus.model import Predictor

_BATCH = 64


def heatmaps(
    photo: Annotated[Path | None, typer.Argument(help="A photograph: the masks of each face in it.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Instead, labelled faces of any layout, or a Pack: their mean masks.")
    ] = None,
    split: Annotated[str, typer.Option(help="With --data: train, validation or test.")] = "test",
    model: ModelName = "default",
    to: Annotated[Path, typer.Option(metavar="PNG", help="Draw here.")] = Path("heatmaps.png"),
    out: Annotated[Path | None, typer.Option("--json", help="With --data: write the mean masks to this file.")] = None,
) -> None:
    """Draw the masks of each sub-network over the face, as figure 5 of the paper does: red active, blue inhibited.

    Of a photograph with several faces each is drawn, the largest first. Without a face the exit code is 1.

    With --data the mean of each mask over a split is laid over a drawn head; no picture of the data enters the figure.
    """
    from facelocus.images.heatmaps import draw_mean_masks

    if (photo is None) == (data is None):
        raise UsageError("give either a photograph or --data with labelled faces")
    if out is not None and data is None:
        raise UsageError("--json writes mean masks: give --data with labelled faces")
    refuse_no_file("--to", to)
    refuse_no_file("--json", out)
    predictor = open_model(model)
    refuse_no_masks(predictor, model)
    if photo is not None:
        picture, what = _faces(photo, predictor)
    elif data is not None:
        record = _mean_masks(predictor, data, split)
        if out is not None:
            write_atomically(out, json.dumps(record, indent=1) + "\n")
        picture, what = draw_mean_masks(record), f"mean masks over {record['images']:,} {split} faces"
    content = BytesIO()
    picture.save(content, "PNG")
    write_atomically(to, content.getvalue())
    typer.echo(f"{to}: {what}")


def _faces(photo: Path, predictor: Predictor) -> tuple[Image.Image, str]:
    """Draw the faces of a photograph, of a crowd no more than the annotated picture does; also say how many."""
    from facelocus.images.draw import PANELS
    from facelocus.images.heatmaps import draw_heatmaps
    from facelocus.images.seen import seen_part, seen_share
    from facelocus.photos.analyze import analyze

    faces = analyze(photo, model=predictor)
    if not faces:
        raise InputError(f"{photo}: no face found: give a photograph in which one is larger, or seen from the front")
    seen = seen_share(predictor.metadata["network"])
    drawn = [(seen_part(face.crop, seen), face.masks) for face in faces[:PANELS] if face.masks is not None]
    more = f", the largest {PANELS} drawn" if len(faces) > PANELS else ""
    what = f"masks of {'1 face' if len(faces) == 1 else f'{len(faces)} faces'}{more}"
    return draw_heatmaps(drawn, predictor.attributes.regions), what


def _mean_masks(predictor: Predictor, data: Path, split: str) -> dict[str, Any]:
    """Return the mean of each mask over a split, R x h x w in [0, 1] to four decimals, and what it was taken from."""
    from facelocus.images.seen import seen_share

    pack, rows = open_split(data, split)
    return {
        "what": "mean over faces of each sub-network's mask, regions x rows x columns over the aligned frame's middle",
        "unit": "weight, 0 to 1",
        "share of the frame": seen_share(predictor.metadata["network"]),
        "model": model_record(predictor),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "split": split,
        "images": len(rows),
        "regions": list(predictor.attributes.regions),
        "masks": _mean(predictor, pack, rows).round(4).tolist(),
        "date": now(),
        "commit": commit(),
        "device": cpu_name(),
        "versions": versions("numpy", "onnxruntime"),
    }


def _mean(predictor: Predictor, pack: Pack, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    import numpy as np
    from tqdm import tqdm

    total: npt.NDArray[np.float64] | float = 0.0
    with tqdm(total=len(rows), unit="face", disable=None) as progress:
        for start in range(0, len(rows), _BATCH):
            faces = pack.frames(rows[start : start + _BATCH])
            masks = predictor.predict(faces).masks
            assert masks is not None, "a network without masks was refused"
            total += masks.sum(axis=0, dtype=np.float64)
            progress.update(len(faces))
    return np.asarray(total / len(rows))
