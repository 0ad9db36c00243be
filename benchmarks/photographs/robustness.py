"""How right answers fall as pictures get worse: curves for one model or several, on the same changed faces.

    python benchmarks/photographs/robustness.py DATA --model shipped=default --model "no attention=RUN" \
        --json results/weights/robustness.json --picture results/weights/robustness.png

DATA is CelebA or a Pack of it; a model is a name for the record and what --model of `facelocus evaluate` takes. A
record that is there keeps its other models. Faces are spread over the test split; noise is seeded by face, so that all
models see the same. Balanced accuracy is at each model's balanced thresholds, accuracy at its accuracy thresholds, both
made for faces as they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from degraded import Frame, Random, blurred, compressed, faded, noisy, scaled, warped
from facelocus.cli.models import model_record, open_model
from facelocus.data import Pack, open_pack
from facelocus.errors import DataError, UsageError
from facelocus.files import write_record
from facelocus.images.hide import cover, hide
from facelocus.images.regions import region_maps
from facelocus.metrics.accuracy import Confusion, correct, mean_over_attributes
from facelocus.metrics.intervals import RESAMPLES, SEED, interval, resample_means
from facelocus.model import Predictor
from facelocus.provenance import commit, cpu_name, now, versions
from robustness_figure import draw

Floats = npt.NDArray[np.floating]
AS_THEY_ARE = "as they are"
HIDDEN = "hidden region"
_BATCH = 64


@dataclass(frozen=True)
class Curve:
    """One way of getting worse.

    Attributes:
        unit: of its levels.
        none: the level that changes nothing, or next to nothing.
        levels: those that are measured.
        change: a frame, a level and what draws -> the changed frame.
    """

    unit: str
    none: float
    levels: tuple[float, ...]
    change: Callable[[Frame, float, Random], Frame]


CURVES = {
    "JPEG": Curve("quality", 100, (80, 60, 40, 30, 20, 10, 5), lambda frame, level, _: compressed(frame, int(level))),
    "blur": Curve("deviation, pixels", 0, (1, 2, 3, 4, 6, 8), lambda frame, level, _: blurred(frame, level)),
    "noise": Curve("deviation, levels of 255", 0, (5, 10, 20, 30, 45, 60), noisy),
    "resolution": Curve("times smaller", 1, (1.5, 2, 3, 4, 6, 8), lambda frame, level, _: scaled(frame, level)),
    "colour": Curve("share taken away", 0, (0.25, 0.5, 0.75, 1), lambda frame, level, _: faded(frame, level)),
    "roll": Curve(
        "degrees, to the left", 0, (-30, -20, -10, -5, 5, 10, 20, 30), lambda frame, level, _: warped(frame, level)[0]
    ),
    "scale": Curve(
        "times larger", 1, (0.6, 0.7, 0.8, 0.9, 1.1, 1.25, 1.5), lambda frame, level, _: warped(frame, zoom=level)[0]
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how right answers fall as pictures get worse.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", action="append", required=True, metavar="NAME=MODEL")
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--picture", type=Path, required=True)
    options = parser.parse_args()
    models = {}
    for word in options.model:
        name, named, where = word.partition("=")
        if not named:
            raise UsageError(f"--model {word!r}: give NAME=MODEL")
        models[name] = open_model(where)
    pack = open_pack(options.data)
    kept = models_of(options.json, about(pack, options.faces))
    record = measure(pack, models, options.faces)
    record["models"] = kept | record["models"]
    write_record(options.json, record)
    draw(record, options.picture)


def measure(pack: Pack, models: dict[str, Predictor], faces: int) -> dict[str, Any]:
    """Return the record of all curves.

    Raises:
        DataError: a model has other attributes than the data.
    """
    for name, model in models.items():
        if model.attributes != pack.attributes:
            raise DataError(f"{pack.folder}: has other attributes than the model {name}: give the data it is for")
    rows = _rows(pack, faces)
    people = _people(pack, rows)
    found: dict[str, dict[str, Any]] = {name: {} for name in models}
    total = len(rows) * (1 + sum(len(curve.levels) for curve in CURVES.values()) + len(pack.attributes.regions))
    with tqdm(total=total, unit="face", disable=None) as progress:
        for way, level, change in ways(pack):
            answers = _answers(pack, rows, models, change, progress)
            own = pack.attributes.regions.index(level) == pack.attributes.region_index if way == HIDDEN else None
            first: Floats | None = None
            for name, model in models.items():
                point, drawn = _point(pack.labels[rows], answers[name], model, people, own)
                if first is not None:
                    point["lead of the first"] = _estimate(first - drawn)
                first = drawn if first is None else first
                found[name].setdefault(way, {})[level] = point
    measured = {
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "versions": versions("numpy", "pillow", "onnxruntime"),
    }
    found = {
        name: {"model": model_record(model), "measured": measured, **found[name]} for name, model in models.items()
    }
    return about(pack, faces) | {"models": found}


def about(pack: Pack, faces: int) -> dict[str, Any]:
    """Return a record without its models: what all of them have to have seen."""
    rows = _rows(pack, faces)
    return {
        "what": "right answers on test faces that were made worse",
        "unit": "percent, means over attributes, each with low and high end of 95 % over people; lead of the first: "
        "balanced accuracy of the first of those measured together, minus this model's",
        "faces": len(rows),
        "people": len(np.unique(_people(pack, rows))),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "ways": {way: {"unit": curve.unit, "none": curve.none} for way, curve in CURVES.items()},
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "over": "images" if pack.people is None else "people"},
    }


def models_of(file: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the models of a record, none where there is no such file.

    Raises:
        DataError: they saw something else than is wanted.
    """
    if not file.exists():
        return {}
    record = json.loads(file.read_text(encoding="utf-8"))
    if apart := [key for key in wanted if record.get(key) != wanted[key]]:
        raise DataError(f"{file}: is of another {', '.join(apart)}: give another file, or remove it")
    return dict(record["models"])


def _rows(pack: Pack, faces: int) -> npt.NDArray[np.int64]:
    test = pack.rows("test")
    return test[np.linspace(0, len(test) - 1, min(faces, len(test))).astype(int)]


def _people(pack: Pack, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.integer]:
    return rows if pack.people is None else pack.people[rows]


def ways(pack: Pack) -> Iterator[tuple[str, str, Callable[[Frame, Random], Frame]]]:
    """Yield each way of getting worse with each of its levels, and what does it; faces as they are come first."""
    yield AS_THEY_ARE, AS_THEY_ARE, lambda frame, _: frame
    for way, curve in CURVES.items():
        for level in curve.levels:
            yield way, f"{level:g}", lambda frame, random, c=curve, at=level: c.change(frame, at, random)
    # What stands in front of a face leaves no trace of it: one colour, not a blur.
    for region, where in zip(pack.attributes.regions, region_maps(pack.attributes.regions) > 0.5, strict=True):
        yield HIDDEN, region, lambda frame, _, at=where: hide(frame[None], at[None], cover(frame[None], "grey"))[0]


def _answers(
    pack: Pack,
    rows: npt.NDArray[np.int64],
    models: dict[str, Predictor],
    change: Callable[[Frame, Random], Frame],
    progress: tqdm[Any],
) -> dict[str, Floats]:
    parts: dict[str, list[Floats]] = {name: [] for name in models}
    for start in range(0, len(rows), _BATCH):
        taken = rows[start : start + _BATCH]
        frames = np.stack(
            [
                change(frame, np.random.default_rng((SEED, row)))
                for row, frame in zip(taken.tolist(), pack.frames(taken), strict=True)
            ]
        )
        for name, model in models.items():
            parts[name].append(model.predict(frames).probabilities)
        progress.update(len(taken))
    return {name: np.concatenate(part) for name, part in parts.items()}


def _point(
    labels: npt.NDArray[np.int8],
    probabilities: Floats,
    model: Predictor,
    people: npt.NDArray[np.integer],
    own: npt.NDArray[np.bool_] | None,
) -> tuple[dict[str, Any], Floats]:
    """Return a point of a curve, and its balanced accuracy followed by that in each resample."""
    yes, no = labels == 1, labels == 0
    hits = [correct(labels, probabilities, model.thresholds[kind]) for kind in ("accuracy", "balanced")]
    flags = np.stack([yes, no, *(hit & of for hit in hits for of in (yes, no))], axis=1)
    drawn = resample_means(flags.reshape(len(flags), -1), people).reshape(-1, *flags.shape[1:])
    # The first row is what was measured.
    shares = np.concatenate([flags.mean(axis=0)[None], drawn]).swapaxes(0, 1)
    accuracy = Confusion(shares[0], shares[1], shares[2], shares[3]).accuracy
    balanced = Confusion(shares[0], shares[1], shares[4], shares[5]).balanced_accuracy
    mean = mean_over_attributes(balanced)
    point = {"accuracy": _estimate(mean_over_attributes(accuracy)), "balanced accuracy": _estimate(mean)}
    if own is not None:
        point["of its attributes"] = _estimate(mean_over_attributes(balanced[:, own]))
        point["of the others"] = _estimate(mean_over_attributes(balanced[:, ~own]))
    return point, mean


def _estimate(values: Floats) -> list[float]:
    """Return what was measured, and the ends of the interval of the resamples behind it."""
    return [round(100 * value, 3) for value in (float(values[0]), *interval(values[1:]))]


if __name__ == "__main__":
    main()
