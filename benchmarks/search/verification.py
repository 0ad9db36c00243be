"""The same person or not, from attributes alone: pairs of LFW.

    python benchmarks/search/verification.py LFW.zip --to results/search/verification

writes the numbers to verification.json and the curves to verification.png.

Same: every two photographs of one person in the archive. Different: as many pairs of two people, drawn with a seed. The
face in the middle of each photograph is found, aligned and scored as everywhere. Accuracy is LFW's: people are divided
into ten parts, and the threshold for the pairs of each comes from the others; pairs of two parts are left out: nine
tenths of those of two people.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from tqdm import tqdm

from facelocus.data.decode import decode_photograph
from facelocus.files import write_record
from facelocus.model import Model
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.reports.figure import GREY, GRID, STYLE, save_figure
from facelocus.search.similar import agreement

SEED = 0
FOLDS = 10

Floats = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.int64]

#: Each takes the probabilities of both faces, N x A, the shares A and thresholds A, and returns how alike they are, N.
WAYS: dict[str, Callable[[Floats, Floats, Floats, Floats], Floats]] = {
    "likeness, as in search --like": lambda p, q, shares, _: agreement(p, q, shares).sum(axis=1),
    "probability of the same answers": lambda p, q, *_: np.log(p * q + (1 - p) * (1 - q)).sum(axis=1),
    "same answers, yes or no": lambda p, q, _, limits: ((p >= limits) == (q >= limits)).sum(axis=1).astype(np.float64),
}

#: How face recognition does on LFW's own pairs (6,000, of all people), as published: not measured here.
PUBLISHED = {"FaceNet (Schroff et al. 2015), accuracy in percent": 99.63}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lfw", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--to", type=Path, required=True, help="without an ending")
    parser.add_argument("--people", type=int, help="no more than so many, for a trial")
    options = parser.parse_args()
    model = Model.load(options.model)
    people, probabilities = profiles(model, options.lfw, options.people)
    same, different = pairs(people)
    shares = np.clip(probabilities.mean(axis=0), 1e-3, 1 - 1e-3)
    found, curves = {}, {}
    for way, alike in WAYS.items():
        s, d = (
            alike(probabilities[some[:, 0]], probabilities[some[:, 1]], shares, model.thresholds["accuracy"])
            for some in (same, different)
        )
        curves[way] = roc(s, d)
        found[way] = measured(s, d, curves[way]) | folded(people, same, different, s, d)
    record = {
        "what": "same person or not, from the probabilities of 40 attributes of each face",
        "unit": "accuracy and rates in percent; area in [0, 1]",
        "people": len(np.unique(people)),
        "photographs": len(people),
        "pairs": {
            "same": len(same),
            "different": len(different),
            "different, of one tenth": int((np.ptp(tenths(people)[different], axis=1) == 0).sum()),
        },
        "ways": found,
        "published face recognition": PUBLISHED,
        "seed": SEED,
        "model": model.sha256,
        "date": now(),
        "commit": commit(),
        "device": cpu_name(),
        "versions": versions("numpy", "pillow", "onnxruntime"),
    }
    write_record(options.to.with_suffix(".json"), record)
    draw(curves, found, options.to.with_suffix(".png"))
    print(json.dumps(found, indent=1))


def profiles(model: Model, archive: Path, most: int | None) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the person of each photograph in whose middle a face is found, and its probabilities, N x A."""
    pictures = zipfile.ZipFile(archive)
    names = sorted(name for name in pictures.namelist() if name.endswith(".jpg"))
    numbers = {person: number for number, person in enumerate(sorted({name.split("/")[-2] for name in names}))}
    people, found = [], []
    for name in tqdm(names, desc="scoring", disable=None):
        number = numbers[name.split("/")[-2]]
        if most is not None and number >= most:
            continue
        crop = decode_photograph(pictures.read(name), name)
        if crop is not None:
            people.append(number)
            found.append(model.predict(crop[None]).probabilities[0])
    return np.array(people), np.clip(np.array(found, np.float64), 1e-6, 1 - 1e-6)


def pairs(people: npt.NDArray[np.int64]) -> tuple[Pairs, Pairs]:
    """Return all pairs of one person, and as many of two, each N x 2 rows."""
    same = np.array([
        pair for person in np.unique(people) for pair in combinations(np.flatnonzero(people == person), 2)
    ])  # fmt: skip
    rng = np.random.default_rng(SEED)
    drawn = np.sort(rng.integers(0, len(people), (8 * len(same), 2)), axis=1)
    _, first = np.unique(drawn, axis=0, return_index=True)
    drawn = drawn[np.sort(first)]
    return same, drawn[people[drawn[:, 0]] != people[drawn[:, 1]]][: len(same)]


def roc(same: Floats, different: Floats) -> Floats:
    """Return false and true positive rates at every threshold: 2 x T, both ascending."""
    limits = np.unique(np.concatenate([same, different]))[::-1]
    rates = [1 - np.searchsorted(np.sort(some), limits, side="left") / len(some) for some in (different, same)]
    return np.concatenate([[[0.0], [0.0]], np.array(rates)], axis=1)


def measured(same: Floats, different: Floats, curve: Floats) -> dict[str, float]:
    """Return the area under the curve, the equal error rate, and how many are recognised at few mistakes."""
    false, true = curve
    area = float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))
    equal = int(np.abs(false - (1 - true)).argmin())
    recognised = {
        f"recognised at {mistakes:g} % mistaken": _percent(np.interp(mistakes / 100, false, true))
        for mistakes in (10, 1, 0.1)
    }
    return {"area": round(area, 4), "equal error": _percent((false[equal] + 1 - true[equal]) / 2), **recognised}


def tenths(people: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return in which of FOLDS parts of the people each is."""
    return np.random.default_rng(SEED).permutation(int(people.max()) + 1)[people] % FOLDS


def folded(people: npt.NDArray[np.int64], same: Pairs, different: Pairs, s: Floats, d: Floats) -> dict[str, Any]:
    """Return the accuracy of ten parts of the people, with thresholds from the other nine, and its standard error."""
    parts = [tenths(people)[some] for some in (same, different)]
    right = []
    for fold in range(FOLDS):
        inside, outside = (
            [values[test(of).all(axis=1)] for values, of in zip((s, d), parts, strict=True)]
            for test in (lambda of, fold=fold: of == fold, lambda of, fold=fold: of != fold)
        )
        limits = np.unique(np.concatenate(outside))
        won = [np.searchsorted(np.sort(values), limits) / len(values) for values in outside]
        limit = limits[(won[1] - won[0]).argmax()]
        right.append(((inside[0] >= limit).mean() + (inside[1] < limit).mean()) / 2)
    return {
        "accuracy": _percent(float(np.mean(right))),
        "standard error": _percent(float(np.std(right, ddof=1)) / FOLDS**0.5),
    }


def draw(curves: dict[str, Floats], found: dict[str, Any], file: Path) -> None:
    """Draw the curves."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 5.4), layout="constrained")
        axes = figure.subplots()
        for (way, (false, true)), colour in zip(curves.items(), ("#0b6e99", "#d9730d", "#8a8f98"), strict=True):
            axes.plot(100 * false, 100 * true, color=colour, label=f"{way}: area {found[way]['area']:.3f}")
        axes.plot([0, 100], [0, 100], color=GREY, linewidth=0.8, linestyle=":", label="chance: area 0.500")
        axes.set(xlabel="different people taken for the same, percent", ylabel="same person recognised, percent")
        axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        axes.set_title("Same person or not, from attributes alone", loc="left")
        axes.grid(color=GRID)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(loc="lower right", frameon=False)
        save_figure(figure, file)


def _percent(share: float) -> float:
    return round(100 * float(share), 2)


if __name__ == "__main__":
    main()
