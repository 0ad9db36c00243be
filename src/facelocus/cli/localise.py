"""`facelocus localise`: does each sub-network look at its region?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facelocus.cli.models import ModelName, model_record, open_model, refuse_no_masks
from facelocus.cli.places import refuse_no_file
from facelocus.cli.splits import SplitName, open_split
from facelocus.errors import DataError, UsageError
from facelocus.files import write_atomically
from facelocus.provenance import commit, cpu_name, now, versions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from facelocus.images.read import RGB

_SHOWN = ("own", "others", "pointing", "pointing by chance")


def localise(
    data: Annotated[Path, typer.Argument(help="Labelled faces with people, such as CelebA, or a Pack.")],
    model: ModelName = "default",
    split: SplitName = "test",
    faithful: Annotated[
        int, typer.Option(help="Faces of which parts are hidden; each takes as long as 48 others.", min=1)
    ] = 300,
    out: Annotated[Path | None, typer.Option("--json", help="Write all numbers to this file.")] = None,
) -> None:
    """Measure how far each mask lies on its region, and whether the answers rest on what it marks.

    A mask that is the same everywhere scores 1, whatever its level. Beside each stand the other masks on that region:
    what shuffling the masks among the sub-networks would give.
    """
    from facelocus.images.seen import seen_share
    from facelocus.reports.localisation import measure_localisation

    refuse_no_file("--json", out)
    predictor = open_model(model)
    refuse_no_masks(predictor, model)
    if seen_share(predictor.metadata["network"]) != (1, 1):
        raise UsageError(f"{model}: sees the middle of the frame alone: name a model without network.crop")
    if len(predictor.attributes.regions) == 1:
        raise UsageError(f"{model}: has one region, and no other mask beside it: name a model of several regions")
    pack, rows = open_split(data, split)
    if pack.people is None or pack.attributes != predictor.attributes:
        raise DataError(f"{data}: has not the model's attributes with people: give CelebA, or a table with both")

    def masks(frames: RGB) -> npt.NDArray[np.float32]:
        found = predictor.predict(frames).masks
        assert found is not None, "a network without masks was refused"
        return found

    found = measure_localisation(
        lambda frames: predictor.predict(frames).probabilities,
        masks,
        predictor.attributes,
        predictor.thresholds["accuracy"],
        pack,
        rows,
        faithful,
    )
    record = {
        "what": "masks against the regions they are named for, and against the answers",
        "model": model_record(predictor),
        "maps": "masks",
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "split": split,
        **found,
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "versions": versions("numpy", "onnxruntime"),
    }
    _print(record)
    if out is not None:
        write_atomically(out, json.dumps(record, indent=1) + "\n")


def _print(record: Mapping[str, Any]) -> None:
    print(f"{record['model']['name']} on {record['faces']:,} {record['split']} faces of {record['people']:,} people\n")
    print(f"{'':18}" + "".join(f"{title:>20}" for title in _SHOWN))
    for name, row in {"all regions": record, **record["regions"]}.items():
        print(f"{name:18}" + "".join(f"{_cell(row[key]):>20}" for key in _SHOWN))
    hidden = record["faithfulness"]
    print(f"\nright answers in percent, {hidden['faces']:,} faces, a fifth of each hidden, or shown alone\n")
    for name in ("whole", *(f"{order} {kind}" for kind in ("hidden", "shown") for order in _orders())):
        print(f"{name:18}{_cell(hidden[name]):>20}")


def _orders() -> tuple[str, ...]:
    from facelocus.metrics.faithfulness import ORDERS

    return ORDERS


def _cell(value: Any) -> str:
    return f"{value[0]:.2f} [{value[1]:.2f}, {value[2]:.2f}]" if isinstance(value, list) else f"{value:.2f}"
