"""`facelocus evaluate`: a model against labelled faces."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facelocus.cli.group_text import groupings, print_groups
from facelocus.cli.lab import require_drawing
from facelocus.cli.models import ModelName, model_record, open_model, predict_rows
from facelocus.cli.places import refuse_no_file
from facelocus.cli.splits import SplitName, open_split
from facelocus.errors import DataError
from facelocus.files import write_atomically
from facelocus.provenance import cpu_name, now, versions

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from facelocus.data import Pack
    from facelocus.model import Predictor

_COLUMNS = {"accuracy": "accuracy", "balanced_accuracy": "balanced", "f1": "F1", "average_precision": "AP"}


def evaluate(
    data: Annotated[Path, typer.Argument(help="Labelled faces of any layout, or a Pack.")],
    model: ModelName = "default",
    split: SplitName = "test",
    out: Annotated[Path | None, typer.Option("--json", help="Write all numbers to this file.")] = None,
    flip: Annotated[
        bool, typer.Option("--flip", help="Average each face with its mirror image, as `default` does unasked.")
    ] = False,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Compare groups of faces: attributes and pairs, as Male,Young,Male+Young."),
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(metavar="PNG", help="Draw how far probabilities are right here (needs matplotlib)."),
    ] = None,
) -> None:
    """Measure a model on labelled faces: accuracy, balanced accuracy, F1 and average precision, in percent.

    Accuracy and F1 are taken at the model's accuracy thresholds, balanced accuracy at its balanced ones;
    intervals hold 95 % of 2,000 resamples of people. Calibration error is how far probabilities are from the share of
    faces labelled yes, and stands beside what chance leaves of it where every probability is right.
    """
    from facelocus.metrics import summarise
    from facelocus.metrics.calibration import summarise_calibration

    refuse_no_file("--json", out)
    refuse_no_file("--draw", draw)
    if draw is not None:
        require_drawing()
    predictor = open_model(model)
    pack, rows = open_split(data, split)
    columns = _columns(predictor, pack, data)
    grouped_by = [] if by is None else groupings(by, pack.attributes)
    probabilities = predict_rows(predictor, pack, rows, flip)
    labels, people = pack.labels[rows][:, columns], None if pack.people is None else pack.people[rows]
    summary = summarise(labels, probabilities, predictor.attributes, predictor.thresholds, people)
    before = None if flip else _before(predictor, probabilities)
    summary["calibration"] = summarise_calibration(labels, probabilities, predictor.attributes, before)
    if grouped_by:
        from facelocus.metrics.groups import compare_groups

        summary["groups"] = compare_groups(
            [{name: pack.labels[rows, pack.attributes.names.index(name)] for name in names} for names in grouped_by],
            labels,
            probabilities,
            predictor.attributes,
            predictor.thresholds,
            people,
        )
    report = {
        "model": model_record(predictor),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "split": split,
        "flip": flip,
        "unit": "percent",
        **summary,
        "device": cpu_name(),
        "versions": versions("numpy", "onnxruntime"),
        "date": now(),
    }
    _print_table(report)
    if out is not None:
        write_atomically(out, json.dumps(report, indent=1) + "\n")
    if draw is not None:
        from facelocus.reports.reliability import draw_reliability

        title = f"{predictor.name} on {len(rows):,} {split} faces; errors in percentage points"
        draw_reliability(labels, probabilities, predictor.attributes, report["calibration"], draw, people, title)


def _columns(predictor: Predictor, pack: Pack, data: Path) -> list[int]:
    """Return the Pack's label column of each of the model's attributes."""
    missing = [name for name in predictor.attributes.names if name not in pack.attributes.names]
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(
            f"{data}: has no labels of {missing[0]}{others}, which {predictor.name} predicts: "
            "give data labelled with all of the model's attributes"
        )
    return [pack.attributes.names.index(name) for name in predictor.attributes.names]


def _before(predictor: Predictor, probabilities: npt.NDArray[np.float32]) -> npt.NDArray[np.float64] | None:
    """Return what a model's probabilities were before they were calibrated; None of one that is not."""
    from facelocus.metrics.calibration import Calibration

    record = predictor.metadata.get("calibration")
    return None if record is None else Calibration.from_json(record).undo(probabilities)


def _print_table(report: Mapping[str, Any]) -> None:
    people = "" if report["people"] is None else f" of {report['people']:,} people"
    mirrored = ", with mirror images" if report["flip"] else ""
    faces = f"{report['images']:,} {report['split']} faces{people}{mirrored}"
    print(f"{report['model']['name']} on {faces}, percent\n")
    print(f"{'':28}" + "".join(f"{title:>10}" for title in _COLUMNS.values()) + f"{'positives':>11}")
    for region, means in report["regions"].items():
        print(f"{region:28}" + "".join(_cell(means["mean_" + metric]) for metric in _COLUMNS))
        for name, scores in report["attributes"].items():
            if scores["region"] == region:
                cells = "".join(_cell(scores[metric]) for metric in _COLUMNS)
                print(f"  {name:26}{cells}{scores['positives']:>11,}")
    print()
    for mean, bounds in report["intervals"].items():
        low, high = (_cell(bound).strip() for bound in bounds)
        print(f"{mean:28}{_cell(report[mean])}  [{low}, {high}]")
    calibration = report["calibration"]
    chance, before = (_cell(calibration[mean]).strip() for mean in ("mean_chance", "mean_error_before"))
    error = _cell(calibration["mean_error"])
    print(f"{'mean_calibration_error':28}{error}  ({chance} by chance, {before} before calibration)")
    if "groups" in report:
        print_groups(report["groups"], report["bootstrap"]["over"])


def _cell(percent: float | None) -> str:
    return f"{'-':>10}" if percent is None else f"{percent:>10.2f}"
