"""What `trust` of photos/quality.py is worth: accuracy against it, on photographs and on degraded copies of test faces.

    python benchmarks/photographs/quality.py DATA WILD.zip --json results/photographs/quality.json \
        --picture FILE.png [--fit]

DATA is CelebA or a Pack of it, WILD.zip original photographs of faces that were left out of training. With --fit the
constants of photos/quality.py are fitted first, on validation faces and degraded copies of them, printed to be put
there, and used for the record. Copies are seeded: each face as it is, and as a few of the ways of degraded.py leave it.
Accuracy is the share of a face's attributes that the model answers rightly at its thresholds.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from degraded import KINDS, Changed, scaled
from facelocus.attributes import FRAME
from facelocus.data import Pack, open_pack, read_table
from facelocus.detection.detect import Detector
from facelocus.detection.labelled import labelled_face
from facelocus.detection.photograph import Photograph
from facelocus.files import write_record
from facelocus.metrics.accuracy import correct
from facelocus.metrics.intervals import RESAMPLES, SEED, interval
from facelocus.model import Model
from facelocus.photos import quality
from facelocus.provenance import commit, cpu_name, now, versions
from quality_figure import draw

Doubles = npt.NDArray[np.float64]

VALIDATION_FACES, TEST_FACES, COPIES = 2600, 3465, 2
POSED_FACES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what trust is worth.")
    parser.add_argument("data", type=Path)
    parser.add_argument("wild", type=Path)
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--picture", type=Path, required=True)
    parser.add_argument("--model", default="default")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    pack, model = open_pack(options.data), Model.load(options.model)
    fitted = fit(pack, model) if options.fit else None
    test = copies(pack, model, "test", TEST_FACES)
    commonest = commonest_right(pack, taken(pack, "test", TEST_FACES))
    good = float(test.accuracy[test.kind == -1].mean())
    record = {
        "what": "accuracy against the trust of photos/quality.py, which sees the picture and no answer of a model",
        "unit": "accuracy in percent, [it, low and high end of 95 % over people]; kept: 1 as on the official crops of "
        "the test faces, 0 no more than the commonest answers to them; trust is to say what is kept",
        "constants": {"SHARPNESS": quality.SHARPNESS, "TRUST": quality.TRUST},
        "accuracy of the commonest answers": _percent(commonest),
        "fit": fitted,
        "test faces and copies": report(test, commonest, good, 10),
        "by kind": by_kind(test, commonest, good),
        "photographs": report(photographs(options.wild, model), commonest, good, 5),
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "over": "people"},
        "model": model.sha256,
        "date": now(),
        "commit": commit(),
        "device": cpu_name(),
        "versions": versions("numpy", "pillow", "onnxruntime"),
    }
    write_record(options.json, record)
    draw(record, options.picture)
    print(json.dumps(record, indent=1))


@dataclass(frozen=True)
class Faces:
    """N judged and answered faces.

    Attributes:
        kind: which of KINDS it went through; -1: none.
        people: numbers of the people.
        measured: N x 6, the arguments of quality.signs in their order.
        accuracy: share of the attributes that are right.
        confidence: mean distance of the model's probabilities from 0.5, times 2.
    """

    kind: npt.NDArray[np.int64]
    people: npt.NDArray[np.int64]
    measured: Doubles
    accuracy: Doubles
    confidence: Doubles

    @property
    def trust(self) -> Doubles:
        return np.array([quality.trust(quality.signs(*row)) for row in self.measured])


def taken(pack: Pack, split: str, count: int) -> npt.NDArray[np.int64]:
    """Return the rows of `count` faces of a split, ascending; of all where it has fewer."""
    return np.sort(np.random.default_rng(SEED).permutation(pack.rows(split))[:count])


def commonest_right(pack: Pack, rows: npt.NDArray[np.int64]) -> float:
    """Return the share of labels that whoever always gives the commonest answer to each attribute has right."""
    labels = pack.labels[rows]
    return float(np.maximum((labels == 1).mean(0), (labels == 0).mean(0)).mean())


def copies(pack: Pack, model: Model, split: str, count: int) -> Faces:
    """Judge and answer `count` faces of a split (all where it has fewer), and COPIES changed copies of each."""
    rows = taken(pack, split, count)
    parts = []
    for start in tqdm(range(0, len(rows), 64), desc=split, disable=None):
        some = rows[start : start + 64]
        changed: list[Changed] = []
        kinds, whose = [], []
        for row, frame in zip(some.tolist(), pack.frames(some), strict=True):
            random = np.random.default_rng((SEED, row))
            for kind in [-1, *random.choice(len(KINDS), COPIES, replace=False).tolist()]:
                changed.append((frame, 1.0) if kind < 0 else KINDS[list(KINDS)[kind]](frame, random))
                kinds.append(kind)
                whose.append(row)
        parts.append(_answered(model, changed, kinds, pack.labels[whose], _people(pack)[whose]))
    return _joined(parts)


def photographs(wild: Path, model: Model) -> Faces:
    """Judge and answer the labelled face of each photograph, by the way that photographs go."""
    table, detector = read_table(wild), Detector()
    changed, rows = [], []
    for row, name in enumerate(tqdm(table.names, desc="photographs", disable=None)):
        photo = Photograph(table.images.read(name))
        face = labelled_face(photo.find(detector), *photo.size)
        if face is not None:
            crop = photo.crop(face)
            changed.append((crop, quality.judge(crop, face.box, face.landmarks, photo.size).inside or 0.0))
            rows.append(row)
    people = np.arange(len(table)) if table.people is None else table.people
    return _answered(model, changed, [-1] * len(rows), table.labels[rows], people[rows])


def _people(pack: Pack) -> npt.NDArray[np.int64]:
    return np.arange(len(pack)) if pack.people is None else pack.people.astype(np.int64)


def _answered(
    model: Model,
    changed: list[Changed],
    kinds: list[int],
    labels: npt.NDArray[np.int8],
    people: npt.NDArray[np.integer],
) -> Faces:
    frames = np.stack([frame for frame, _ in changed])
    probabilities = model.predict(frames).probabilities
    measured = []
    for frame, inside in changed:
        found = quality.judge(frame, (0, 0, 1, 1), None, (1, 1))
        measured.append([found.sharpness, found.noise, found.brightness, found.contrast, found.clipped, inside])
    right = correct(labels, probabilities, model.thresholds["accuracy"])
    return Faces(
        kind=np.array(kinds),
        people=people.astype(np.int64),
        measured=np.array(measured),
        accuracy=right.sum(axis=1) / (labels != -1).sum(axis=1),
        confidence=2 * np.abs(probabilities - 0.5).mean(axis=1).astype(np.float64),
    )


def _joined(parts: list[Faces]) -> Faces:
    return Faces(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Faces.__annotations__})


# The fit.


def fit(pack: Pack, model: Model) -> dict[str, Any]:
    """Fit SHARPNESS and TRUST, print them and put them to use; say how well they fit."""
    quality.SHARPNESS = _sharpness(pack)
    faces = copies(pack, model, "validation", VALIDATION_FACES)
    good = float(faces.accuracy[faces.kind == -1].mean())
    commonest = commonest_right(pack, pack.rows("validation"))
    signs = np.array([quality.signs(*row) for row in faces.measured])
    quality.TRUST = tuple(_logistic(signs, (faces.accuracy - commonest) / (good - commonest)))
    print(f"SHARPNESS = {quality.SHARPNESS}\nTRUST = {quality.TRUST}", flush=True)
    both = np.column_stack([signs, np.log(faces.confidence / (1 - faces.confidence))])
    kept = (faces.accuracy - commonest) / (good - commonest)
    weights = np.array(_logistic(both, kept))
    return {
        "validation faces": int((faces.kind == -1).sum()),
        "with copies": len(faces.kind),
        "accuracy of official crops": _percent(good),
        "accuracy of the commonest answers": _percent(commonest),
        "correlation with accuracy, by face": {
            "trust": _correlation(faces.trust, faces.accuracy),
            "the model's confidence alone": _correlation(faces.confidence, faces.accuracy),
            "trust and confidence, fitted": _correlation(weights[0] + both @ weights[1:], faces.accuracy),
        },
        "accuracy by pose, official crops": _by_pose(pack, model),
    }


def _sharpness(pack: Pack) -> tuple[float, float]:
    """Least squares on faces that were made smaller by known factors."""
    rows = taken(pack, "validation", POSED_FACES)
    shrunk = 2 ** np.random.default_rng(SEED).uniform(0.5, 2.8, len(rows))
    details = [
        quality.detail(quality.luma(scaled(frame, by))) for frame, by in zip(pack.frames(rows), shrunk, strict=True)
    ]
    weight, constant = np.polyfit(details, -np.log2(shrunk), 1)
    return round(float(constant), 3), round(float(weight), 3)


def _logistic(signs: Doubles, kept: Doubles) -> list[float]:
    """Return constant and weights, none of them below 0, of the logistic curve nearest to `kept` (least squares)."""
    used = list(range(signs.shape[1]))
    while True:
        weights = _curve(np.column_stack([np.ones(len(signs)), signs[:, used]]), kept)
        if (weights[1:] >= 0).all():
            break
        del used[int(weights[1:].argmin())]
    whole = np.zeros(1 + signs.shape[1])
    whole[[0, *(1 + column for column in used)]] = weights
    return [round(weight, 3) for weight in whole.tolist()]


def _curve(x: Doubles, kept: Doubles) -> Doubles:
    """Levenberg and Marquardt's steps from a flat curve."""

    def left(weights: Doubles) -> Doubles:
        return kept - 1 / (1 + np.exp(-x @ weights))

    weights, damping = np.zeros(x.shape[1]), 1e-2
    for _ in range(100):
        off = left(weights)
        curve = kept - off
        slope = (curve * (1 - curve))[:, None] * x
        square = slope.T @ slope
        step = np.linalg.solve(square + damping * np.diag(np.diag(square)), slope.T @ off)
        better = (left(weights + step) ** 2).sum() < (off**2).sum()
        weights, damping = (weights + step, damping / 3) if better else (weights, damping * 4)
    return weights


def _by_pose(pack: Pack, model: Model) -> dict[str, Any]:
    """Why pose is no part of trust: accuracy by how far a face is turned and raised."""
    rows = taken(pack, "validation", POSED_FACES)
    detector, angles, kept = Detector(), [], []
    for row, frame in zip(rows.tolist(), pack.frames(rows), strict=True):
        face = labelled_face(detector.detect(frame), FRAME[1], FRAME[0])
        if face is not None:
            angles.append(quality.pose(face.landmarks))
            kept.append(row)
    probabilities = model.predict(pack.frames(np.array(kept))).probabilities
    right = correct(pack.labels[kept], probabilities, model.thresholds["accuracy"]).mean(axis=1)
    people, found = _people(pack)[kept], {}
    for name, values in zip(("yaw", "pitch"), np.abs(np.array(angles)).T, strict=False):
        for low, high in ((0, 10), (10, 20), (20, 30), (30, 90)):
            chosen = (values >= low) & (values < high)
            found[f"{name} {low} to {high} degrees"] = {
                "faces": int(chosen.sum()),
                "accuracy": _with_interval(right, people, chosen),
            }
    return found


# The record.


def report(faces: Faces, commonest: float, good: float, groups: int) -> dict[str, Any]:
    """Accuracy in equal groups by trust, and with the worst left out."""
    trust = faces.trust
    order = np.argsort(trust, kind="stable")
    rows = []
    for part in np.array_split(order, groups):
        chosen = np.isin(np.arange(len(trust)), part)
        rows.append(_row(faces, trust, chosen, commonest, good))
    dropped = {}
    for percent in (0, 5, 10, 20, 30, 50):
        away = round(len(trust) * percent / 100)
        dropped[str(percent)] = {
            "accuracy": _with_interval(faces.accuracy, faces.people, _without(trust, away)),
            "by the model's confidence": _with_interval(faces.accuracy, faces.people, _without(faces.confidence, away)),
        }
    return {
        "faces": len(trust),
        "people": len(np.unique(faces.people)),
        "correlation with accuracy, by face": {
            "trust": _correlation(trust, faces.accuracy),
            "the model's confidence": _correlation(faces.confidence, faces.accuracy),
        },
        "trust, percentiles 5 25 50 75 95": np.percentile(trust, (5, 25, 50, 75, 95)).round(3).tolist(),
        f"by trust, {groups} equal groups from the worst": rows,
        "worst left out, percent": dropped,
    }


def by_kind(faces: Faces, commonest: float, good: float) -> dict[str, Any]:
    """A row a kind of change."""
    trust = faces.trust
    return {
        name: {
            **_row(faces, trust, faces.kind == kind, commonest, good),
            "correlation with accuracy": _correlation(trust[faces.kind == kind], faces.accuracy[faces.kind == kind]),
        }
        for kind, name in enumerate(["as they are", *KINDS], -1)
    }


def _row(faces: Faces, trust: Doubles, chosen: npt.NDArray[np.bool_], commonest: float, good: float) -> dict[str, Any]:
    return {
        "faces": int(chosen.sum()),
        "trust": round(float(trust[chosen].mean()), 3),
        "kept": round(float((faces.accuracy[chosen].mean() - commonest) / (good - commonest)), 3),
        "accuracy": _with_interval(faces.accuracy, faces.people, chosen),
    }


def _without(figure: Doubles, away: int) -> npt.NDArray[np.bool_]:
    chosen = np.ones(len(figure), bool)
    chosen[np.argsort(figure, kind="stable")[:away]] = False
    return chosen


def _with_interval(accuracy: Doubles, people: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_]) -> list[float]:
    """Mean accuracy of the chosen faces with its 95 % interval: people are drawn, with all of their faces."""
    if not chosen.any():
        return [float("nan")] * 3
    each = np.unique(people[chosen], return_inverse=True)[1].reshape(-1)
    sums, counts = np.bincount(each, accuracy[chosen]), np.bincount(each).astype(np.float64)
    random = np.random.default_rng(SEED)
    drawn = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES)
    low, high = interval((drawn @ sums) / (drawn @ counts))
    return [_percent(float(accuracy[chosen].mean())), _percent(low), _percent(high)]


def _correlation(figure: Doubles, accuracy: Doubles) -> float:
    return round(float(np.corrcoef(figure, accuracy)[0, 1]), 3)


def _percent(share: float) -> float:
    return round(100 * share, 2)


if __name__ == "__main__":
    main()
