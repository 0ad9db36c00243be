"""How well searching finds what was asked for, against labels.

    python benchmarks/search/search_quality.py PACK --json results/search/quality.json

Truth is the labels of the Pack's test faces, each a picture of its own. Asked are all queries of one term (40
attributes, each and its opposite), all of two terms of two attributes, and 200 seeded ones of three; of these, those
that at least LEAST faces answer and at least LEAST do not. Precision is of the best 20, average precision of the whole
order. Beside the search stand yes-or-no thresholds (faces in the order of the Pack among those that have equally many
terms right), products of scores that are not calibrated, and chance. Two of them ask what decisions are worth:

- not calibrated: the same scores with their calibration taken out again, where the model file says what it was.
- with dependence: how attributes go together beyond their probabilities (search_dependence.py), fitted to validation
  faces. "log loss" is of whether the probabilities are true, in nats a face.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from facelocus.cli.models import predict_rows
from facelocus.data.pack import Pack
from facelocus.files import write_record
from facelocus.library.scores import Scores, encode
from facelocus.model import Model
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.search.evidence import Evidence
from facelocus.search.query import All, Expression, Term
from facelocus.search.rank import best_faces
from search_dependence import joint, log_odds_ratios

SEED = 0
OF_THREE = 200
LEAST = 10
BEST = 20

Floats = npt.NDArray[np.float64]
Asked = tuple[tuple[int, bool], ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--faces", type=int, help="no more than so many of each split, for a trial")
    options = parser.parse_args()
    model, pack = Model.load(options.model), Pack.open(options.pack)
    rows = {split: pack.rows(split)[: options.faces] for split in ("validation", "test")}
    predicted = {split: predict(model, pack, some) for split, some in rows.items()}
    labels = pack.labels[rows["test"]]
    orders = Orders(model, predicted["test"], log_odds_ratios(pack.labels[rows["validation"]], predicted["validation"]))
    found = {str(count): measured(list(queries(labels, count)), labels, orders) for count in (1, 2, 3)}
    record = {
        "what": "search against labels",
        "unit": "means over queries, in percent; log loss in nats a face",
        "data": pack.description,
        "faces": len(rows["test"]),
        "people": None if pack.people is None else len(np.unique(pack.people[rows["test"]])),
        "least faces either way": LEAST,
        "by number of terms": found,
        "examples": examples(model, labels, orders),
        "calibration": "taken out" if orders.plain is not None else "the model file names none: both are the same",
        "seed": SEED,
        "model": model.sha256,
        "date": now(),
        "commit": commit(),
        "device": cpu_name(),
        "versions": versions("numpy", "onnxruntime"),
    }
    write_record(options.json, record)
    print(json.dumps(found, indent=1))


def predict(model: Model, pack: Pack, rows: npt.NDArray[np.int64]) -> Floats:
    """Return the probabilities of rows of a Pack, N x A."""
    return predict_rows(model, pack, rows).astype(np.float64)


def queries(labels: npt.NDArray[np.int8], count: int) -> Iterator[Asked]:
    """Yield what is asked: attribute and whether its opposite is meant, of each term."""
    every = (tuple(zip(some, no, strict=True)) for some in combinations(range(labels.shape[1]), count)
             for no in product((False, True), repeat=count))  # fmt: skip
    answered = (asked for asked in every if LEAST <= truth(labels, asked)[0].sum() <= len(labels) - LEAST)
    if count < 3:
        yield from answered
        return
    chance = np.random.default_rng(SEED)
    drawn = set[Asked]()
    while len(drawn) < OF_THREE:
        some = np.sort(chance.choice(labels.shape[1], count, replace=False)).tolist()
        asked = tuple(zip(some, (chance.random(count) < 0.5).tolist(), strict=True))
        if asked not in drawn and LEAST <= truth(labels, asked)[0].sum() <= len(labels) - LEAST:
            drawn.add(asked)
            yield asked


def truth(labels: npt.NDArray[np.int8], asked: Asked) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return which faces are as asked for, and of which all of it is known."""
    columns = [labels[:, a] for a, _ in asked]
    known = np.logical_and.reduce([column >= 0 for column in columns])
    right = np.logical_and.reduce([(column == 1) != no for column, (_, no) in zip(columns, asked, strict=True)])
    return right & known, known


class Orders:
    """How good each way of searching says that faces are; higher is better.

    Attributes:
        plain: probabilities without the model's calibration; None where there is none.
        ways: name -> what gives the score of every face for a query; those of PROBABILITIES are probabilities.
    """

    PROBABILITIES = ("search", "not calibrated", "with dependence")

    def __init__(self, model: Model, probabilities: Floats, odds: Floats) -> None:
        self._names, self._limits = model.attributes.names, model.thresholds["accuracy"]
        self._p, self._odds = probabilities, odds
        calibration = model.metadata.get("calibration")
        self.plain = None if calibration is None else _undone(probabilities, calibration)
        count = len(probabilities)
        rows = np.arange(count + 1)
        self._evidence = Evidence(Scores(encode(probabilities.T), rows[:-1], rows[:-1], rows), model.attributes)
        self.ways: dict[str, Callable[[Asked], Floats]] = {
            "search": self._search,
            "yes or no": self._yes_or_no,
            "not calibrated": lambda asked: np.prod(_of(self._p if self.plain is None else self.plain, asked), axis=0),
            "with dependence": self._with_dependence,
        }

    def _search(self, asked: Asked) -> Floats:
        terms: list[Expression] = [Term(self._names[a], no) for a, no in asked]
        so = terms[0] if len(terms) == 1 else All(tuple(terms))
        order = best_faces(self._evidence, so, len(self._p))
        score = np.empty(len(self._p))
        # The order is the search's own; among equals a rounding error keeps it.
        score[order] = np.exp(self._evidence.logs(so, order).astype(np.float64)) - 1e-12 * np.arange(len(order))
        return score

    def _yes_or_no(self, asked: Asked) -> Floats:
        return np.sum([(self._p[:, a] >= self._limits[a]) != no for a, no in asked], axis=0).astype(np.float64)

    def _with_dependence(self, asked: Asked) -> Floats:
        sign = np.array([-1 if no else 1 for _, no in asked])
        columns = [a for a, _ in asked]
        p = np.clip(_of(self._p, asked), 1e-7, 1)
        return joint(list(p), np.exp(self._odds[np.ix_(columns, columns)] * np.outer(sign, sign)))


def _of(p: Floats, asked: Asked) -> Floats:
    return np.stack([1 - p[:, a] if no else p[:, a] for a, no in asked])


def _undone(p: Floats, calibration: dict[str, Any]) -> Floats:
    """Return probabilities as they were before logits went through slope and offset."""
    slope, offset = (np.array(calibration[key], np.float64) for key in ("slope", "offset"))
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return 1 / (1 + np.exp(-(np.log(p / (1 - p)) - offset) / slope))


def measured(asked: list[Asked], labels: npt.NDArray[np.int8], orders: Orders) -> dict[str, Any]:
    """Return for each way the means over queries, and for the search less the others how sure the difference is."""
    values: dict[str, list[list[float]]] = {way: [] for way in [*orders.ways, "chance"]}
    losses: dict[str, list[float]] = {way: [] for way in orders.PROBABILITIES}
    for one in tqdm(asked, desc="searching", disable=None):
        right, known = truth(labels, one)
        for way, score in orders.ways.items():
            given = score(one)[known]
            values[way].append(list(scored(right[known], given)))
            if way in losses:
                p = np.clip(given, 1e-9, 1 - 1e-9)
                losses[way].append(float(-np.mean(np.where(right[known], np.log(p), np.log(1 - p)))))
        values["chance"].append([right[known].mean()] * 2)
    table = {way: np.array(rows) for way, rows in values.items()}
    return {
        "queries": len(asked),
        **{
            way: {
                f"precision of the best {BEST}": _percent(rows[:, 0].mean()),
                "average precision": _percent(rows[:, 1].mean()),
            }
            | ({"log loss": round(float(np.mean(losses[way])), 5)} if way in losses else {})
            | (_behind(table["search"] - rows) if way != "search" else {})
            for way, rows in table.items()
        },
    }


def scored(right: npt.NDArray[np.bool_], score: Floats) -> tuple[float, float]:
    """Return the precision of the best, and the average precision."""
    order = np.argsort(-score, kind="stable")
    hits = np.flatnonzero(right[order])
    return float(right[order[:BEST]].mean()), float(np.mean((np.arange(len(hits)) + 1) / (hits + 1)))


def _behind(difference: Floats) -> dict[str, list[float]]:
    """Return how far a way is behind the search in average precision, with the standard error over queries."""
    mean, error = difference[:, 1].mean(), difference[:, 1].std(ddof=1) / len(difference) ** 0.5
    return {"average precision behind the search, standard error": [round(100 * float(v), 4) for v in (mean, error)]}


def examples(model: Model, labels: npt.NDArray[np.int8], orders: Orders) -> dict[str, dict[str, float]]:
    """Return the same for a few queries that people make."""
    wanted = [
        "Male no, Blond_Hair",
        "Smiling, Eyeglasses",
        "Male, Goatee, Wearing_Necktie",
        "Male no, Wearing_Hat, Smiling",
    ]
    found = {}
    for one in wanted:
        names = [term.split(" ") for term in one.split(", ")]
        asked = tuple((model.attributes.names.index(name), bool(no)) for name, *no in names)
        right, known = truth(labels, asked)
        if right.any():
            precise, average = scored(right[known], orders.ways["search"](asked)[known])
            key = ", ".join(str(Term(name, bool(no))) for name, *no in names)
            found[key] = {
                "faces": int(right.sum()),
                f"precision of the best {BEST}": _percent(precise),
                "average precision": _percent(average),
            }
    return found


def _percent(share: float) -> float:
    return round(100 * float(share), 2)


if __name__ == "__main__":
    main()
