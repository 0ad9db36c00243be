"""The worked example of learning own attributes: five of CelebA's are held out of training, then learnt from few rows.

    python benchmarks/data/own_labels.py base PACK RUN
    python benchmarks/data/own_labels.py learn PACK RUN FOLDER --json results/own-data/own-labels.json

`base` trains the network on the 35 other attributes: the one that a user would start from, had CelebA never had the
five. `learn` draws 50 to 5,000 of the training faces, up to three times, keeps 15 % of them for validation as a user
would, and learns the five by the recipe `finetune`; beside it a linear probe (logistic regression on the pooled
features of the plain ImageNet network) is given the same rows. Both are measured on the test faces. Finished runs in
FOLDER are not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import timm
import torch
import torch.nn.functional as F
from tqdm import tqdm

from facelocus.attributes import AttributeSet
from facelocus.data import Pack
from facelocus.data.table import SPLITS
from facelocus.files import write_record
from facelocus.metrics import choose_thresholds
from facelocus.metrics.accuracy import measure
from facelocus.metrics.intervals import RESAMPLES, SEED, interval, resample
from facelocus.nn.backbones.timm_trunk import load_packaged
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.recipes import load_recipe
from facelocus.training.loop import train
from facelocus.training.recipe import Phase, Recipe
from facelocus.training.run import load_run
from facelocus.training.start import Start

#: One each of five regions, from easy and frequent to rare or hard; nothing else says what they say.
HELD_OUT = ("Bangs", "Eyeglasses", "Goatee", "Smiling", "Wearing_Lipstick")
#: Labelled faces, and how often so many are drawn: large draws differ little.
DRAWS = {50: 3, 200: 3, 1_000: 3, 5_000: 1}
VALIDATION = 0.15
SCORES = ("accuracy", "average_precision")
CPU = torch.device("cpu")
#: Strengths of the probe's weight decay, chosen on its validation rows.
DECAYS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn five attributes that training had left out.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    base = verbs.add_parser("base", help="train on the 35 other attributes")
    learn = verbs.add_parser("learn", help="learn the five from few rows, and by a linear probe")
    for verb in (base, learn):
        verb.add_argument("pack", type=Path)
        verb.add_argument("run", type=Path)
    learn.add_argument("folder", type=Path)
    learn.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    pack = Pack.open(options.pack)
    if options.verb == "base":
        train(base_recipe(), without(pack, HELD_OUT), options.run, name="base", device=CPU)
        return
    result = learn_all(only(pack, HELD_OUT), options.run, options.folder)
    write_record(options.json, result)


def base_recipe() -> Recipe:
    """Return `refine`'s augmentation from ImageNet weights, most of it at the small size."""
    refine = load_recipe("refine")
    phases = (Phase(epochs=2, size=(136, 112)), Phase(epochs=0.75))
    return replace(refine, phases=phases, optimizer=load_recipe("default").optimizer)


def without(pack: Pack, names: tuple[str, ...]) -> Pack:
    """Return the Pack with the columns of some attributes taken away."""
    return only(pack, tuple(name for name in pack.attributes.names if name not in names))


def only(pack: Pack, names: tuple[str, ...]) -> Pack:
    """Return the Pack with the columns of some attributes alone, and the regions they are on."""
    columns = [pack.attributes.names.index(name) for name in names]
    region_of = tuple(pack.attributes.region_of[column] for column in columns)
    regions = tuple(region for region in pack.attributes.regions if region in region_of)
    return replace(pack, labels=pack.labels[:, columns], attributes=AttributeSet(names, regions, region_of))


def drawn(pack: Pack, size: int, draw: int) -> Pack:
    """Return `size` random training faces, 15 % of them for validation; smaller draws lie within larger ones."""
    rows = np.random.default_rng((SEED, draw)).permutation(pack.rows("train"))[:size]
    splits = np.full_like(pack.splits, -1)  # in no split
    splits[rows] = np.where(np.arange(size) < round(VALIDATION * size), 1, 0)
    description = f"{size:,} random training faces of {pack.description}"
    return replace(pack, splits=splits, description=description)


def learn_all(pack: Pack, base: Path, folder: Path) -> dict[str, Any]:
    """Learn and probe at every size and draw; return the record."""
    folder.mkdir(parents=True, exist_ok=True)
    test = pack.rows("test")
    start = Start.read(base)
    recipe = start.adapt(load_recipe("finetune"))
    features = Features(folder / "imagenet.npz")
    outcomes: dict[str, dict[int, list[Outcome]]] = {"finetune": {}, "probe": {}}
    for draw in range(max(DRAWS.values())):
        for size in [size for size, draws in DRAWS.items() if draw < draws]:
            few = drawn(pack, size, draw)
            run = folder / f"{size}-{draw}"
            seeded = replace(recipe, seed=draw)
            train(seeded, few, run, name="finetune", device=CPU, start=start)
            record = json.loads((run / "record.json").read_text())
            if not (run / "test.npy").exists():
                np.save(run / "test.npy", load_run(run).predict_rows(pack, test))
            thresholds = load_run(run).thresholds
            found = Outcome.of(pack, test, np.load(run / "test.npy"), thresholds, record["seconds"])
            outcomes["finetune"].setdefault(size, []).append(found)
            began = time.monotonic()
            probed, thresholds = probe(pack, few, features, test)
            found = Outcome.of(pack, test, probed, thresholds, time.monotonic() - began)
            outcomes["probe"].setdefault(size, []).append(found)
            print(size, draw, {way: outcomes[way][size][-1].line() for way in outcomes}, flush=True)
        features.save()
    assert pack.people is not None
    majority = np.maximum(rates := (pack.labels[test] == 1).mean(0), 1 - rates).mean()
    return {
        "what": "five attributes held out of training, learnt from few rows",
        "attributes": list(HELD_OUT),
        "draws": {str(size): draws for size, draws in DRAWS.items()},
        "validation_share": VALIDATION,
        "unit": "percent",
        "test": {"images": len(test), "people": len(np.unique(pack.people[test])), "description": pack.description},
        "majority_accuracy": round(100 * float(majority), 2),
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "over": "people", "draws": "averaged"},
        "rows": {
            str(size): {way: summary(outcomes[way][size]) for way in outcomes}
            | {"difference": difference(outcomes["finetune"][size], outcomes["probe"][size])}
            for size in DRAWS
        },
        "from": start.record,
        "recipe": recipe.to_json(),
        "commit": commit(),
        "date": now(),
        "device": cpu_name(),
        "threads": torch.get_num_threads(),
        "versions": versions("torch", "timm", "numpy"),
    }


class Outcome:
    """Scores of one way at one size and draw: by attribute, and in each resample of people."""

    def __init__(self, scores: dict[str, Floats], resamples: dict[str, Floats], seconds: float) -> None:
        self.scores, self.resamples, self.seconds = scores, resamples, seconds

    @classmethod
    def of(
        cls, pack: Pack, test: Rows, probabilities: Floats, thresholds: dict[str, Floats], seconds: float
    ) -> Outcome:
        assert pack.people is not None
        labels = pack.labels[test]
        return cls(
            measure(labels, probabilities, thresholds),
            resample(labels, probabilities, thresholds, pack.people[test]),
            seconds,
        )

    def line(self) -> dict[str, float]:
        return {score: round(100 * float(self.scores[score].mean()), 2) for score in SCORES}


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return means over draws and attributes with intervals over people, each draw's means, and single attributes."""
    result: dict[str, Any] = {"seconds": round(float(np.mean([each.seconds for each in outcomes])), 1)}
    for score in SCORES:
        replicates = np.mean([each.resamples[score].mean(1) for each in outcomes], axis=0)
        by_attribute = np.mean([each.scores[score] for each in outcomes], axis=0)
        result[score] = {
            "mean": _percent(by_attribute.mean()),
            "interval": [_percent(bound) for bound in interval(replicates)],
            "draws": [_percent(each.scores[score].mean()) for each in outcomes],
            "attributes": dict(zip(HELD_OUT, map(_percent, by_attribute), strict=True)),
        }
    return result


def difference(ours: list[Outcome], theirs: list[Outcome]) -> dict[str, Any]:
    """Return how much better the first is, paired in each resample."""
    result: dict[str, Any] = {}
    for score in SCORES:
        pairs = [a.resamples[score].mean(1) - b.resamples[score].mean(1) for a, b in zip(ours, theirs, strict=True)]
        mean = np.mean([a.scores[score].mean() - b.scores[score].mean() for a, b in zip(ours, theirs, strict=True)])
        result[score] = {
            "mean": _percent(mean),
            "interval": [_percent(bound) for bound in interval(np.mean(pairs, axis=0))],
        }
    return result


class Features:
    """Pooled features of the plain ImageNet network by row of the Pack, computed once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.known: dict[int, Floats] = {}
        if file.exists():
            with np.load(file) as kept:
                self.known = dict(zip(kept["rows"].tolist(), kept["features"], strict=True))
        model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        load_packaged(model, "tf_efficientnet_lite0")
        model.reset_classifier(0)
        self.model = model.eval()

    @torch.inference_mode()
    def of(self, pack: Pack, rows: Rows) -> Floats:
        """Return float32 len(rows) x 1280."""
        new = rows[[row not in self.known for row in rows.tolist()]]
        for at in tqdm(range(0, len(new), 64), desc="features", leave=False, disable=None):
            part = new[at : at + 64]
            images = torch.from_numpy(pack.frames(part)).permute(0, 3, 1, 2).float()
            found = self.model((images / 255 - 0.498) / 0.502).numpy()
            self.known.update(zip(part.tolist(), found, strict=True))
        return np.stack([self.known[row] for row in rows.tolist()])

    def save(self) -> None:
        np.savez(self.file, rows=np.array(list(self.known)), features=np.stack(list(self.known.values())))


def probe(pack: Pack, few: Pack, features: Features, test: Rows) -> tuple[Floats, dict[str, Floats]]:
    """Return the probe's probabilities on the test rows, and its thresholds, chosen on its validation rows."""
    fit, hold = few.rows(SPLITS[0]), few.rows(SPLITS[1])
    mean, deviation = (x := features.of(few, fit)).mean(0), x.std(0) + 1e-6

    def scaled(of: Pack, rows: Rows) -> torch.Tensor:
        return torch.from_numpy((features.of(of, rows) - mean) / deviation).float()

    held, labels = scaled(few, hold), torch.from_numpy(few.labels[hold]).float()
    fitted = [_logistic(scaled(few, fit), torch.from_numpy(few.labels[fit]).float(), decay) for decay in DECAYS]
    losses = [float(F.binary_cross_entropy_with_logits(model(held), labels)) for model in fitted]
    best = fitted[int(np.argmin(losses))]
    with torch.inference_mode():
        thresholds = choose_thresholds(few.labels[hold], torch.sigmoid(best(held)).numpy())
        return torch.sigmoid(best(scaled(pack, test))).numpy(), thresholds


def _logistic(x: torch.Tensor, y: torch.Tensor, decay: float) -> torch.nn.Linear:
    """Return the linear layer of least cross-entropy plus decay x half its squared weights, by L-BFGS."""
    model = torch.nn.Linear(x.shape[1], y.shape[1])
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(x), y) * y.shape[1] + decay / 2 * (model.weight**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return model.requires_grad_(False)


def _percent(share: float) -> float:
    return round(100 * float(share), 2)


if __name__ == "__main__":
    main()
