"""Records of the paper's grids as the grids leave them, drawn instead of trained."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import ATTRIBUTES

PEOPLE, FACES = 120, 6  # of each person
IMAGES = 62_012
#: Points that a module adds; of the balanced accuracy as many, as faces of both kinds are as hard.
GAINS = {"none": 0.0, "squeeze_excitation": 0.4, "pse_fully_connected": 0.7, "pse_conv": 0.8}
#: Trunk -> accuracy without a module; the last one's PSE(b) lies on the curve of growth.
TRUNKS = {"alexnet_cvgj": 86.0, "seresnet50": 87.0, "tf_efficientnet_lite0": 89.1}

_Faces = npt.NDArray[np.float64]


class Drawn:
    """Test faces of PEOPLE, and runs that decide about them; hard faces and attributes are hard for every run."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self.labels = rng.random((PEOPLE, FACES, len(ATTRIBUTES))) < rng.uniform(0.05, 0.6, len(ATTRIBUTES))
        person = rng.normal(0, 1, (PEOPLE, 1, len(ATTRIBUTES)))
        self.hardness = person + rng.normal(0, 1, self.labels.shape)
        self.lines: list[dict[str, Any]] = []
        self.counts: dict[str, dict[str, npt.NDArray[np.uint16]]] = {}

    def kinds(self, right: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint16]:
        """Return 2 x P x A: how many of the positives and of the negatives are marked."""
        return np.stack([(right & (self.labels == kind)).sum(axis=1) for kind in (True, False)]).astype(np.uint16)

    def add(
        self, grid: str, trunk: str, module: str, seed: int, *, accuracy: float = 88.0, gain: float | None = None,
        tail: str = "", iterations: int = 400, images: int = IMAGES, **settings: Any,
    ) -> None:  # fmt: skip
        """Add a run whose accuracy is about `accuracy` and what its module gains."""
        name = f"{trunk}/{module}{tail}"
        run = f"{grid}/{name}/{seed}"
        rng = np.random.default_rng([seed, *run.encode()])
        wanted = accuracy + (GAINS[module] if gain is None else gain) + rng.normal(0, 0.05)
        noisy = self.hardness + rng.normal(0, 0.3, self.hardness.shape)
        right = noisy < np.quantile(noisy, wanted / 100)
        self.counts[run] = {"half": self.kinds(right), "balanced": self.kinds(right)}
        known = np.prod(self.labels.shape[:2])
        by_attribute = 100 * right.sum(axis=(0, 1)) / known
        totals = self.counts[run]["balanced"].sum(axis=1) / self.kinds(np.ones_like(right)).sum(axis=1)
        score = {"mean_accuracy_at_half": round(float(by_attribute.mean()), 4),
                 "mean_balanced_accuracy_at_half": round(100 * float(totals.mean()), 4)}  # fmt: skip
        self.lines.append(
            {
                "run": run, "grid": grid, "name": name, "seed": seed,
                "settings": {"network.trunk": trunk, "network.attention": module, "optimizer.rate": 0.005, **settings},
                "commit": "0123456789ab", "date": "2026-11-28T01:00:00+00:00", "device": "a processor", "threads": 2,
                "versions": {"python": "3.12"},
                "data": {"description": "drawn faces", "fingerprint": "f00d", "training_images": images},
                "iterations": iterations, "seconds": 76.1,
                "validation": score,
                "test": {
                    "images": int(known), "people": PEOPLE, "labels": "f00d", **score,
                    "mean_accuracy": score["mean_accuracy_at_half"], "mean_average_precision": 60.0,
                    "mean_balanced_accuracy": score["mean_balanced_accuracy_at_half"],
                    "attributes": dict(zip(ATTRIBUTES, by_attribute.round(4).tolist(), strict=True)),
                },
            }
        )  # fmt: skip

    def write(self, folder: Path, lines: Iterable[dict[str, Any]] | None = None) -> Path:
        """Write runs.jsonl, in the order given, and people/; return the folder."""
        (folder / "people").mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(line) + "\n" for line in (self.lines if lines is None else lines))
        (folder / "runs.jsonl").write_text(text, encoding="utf-8")
        labels = self.kinds(np.ones_like(self.labels))
        np.savez_compressed(folder / "people" / "labels.f00d.npz", labels=labels)
        for run, counts in self.counts.items():
            np.savez_compressed(folder / "people" / f"{run.replace('/', '.')}.npz", **counts)
        return folder


def whole_grid() -> Drawn:
    """Return what the small forms leave: modules on three trunks, controls, growth, stand-in labels."""
    drawn = Drawn()
    for seed in range(3):
        for trunk, accuracy in TRUNKS.items():
            for module in GAINS:
                drawn.add("paper_small", trunk, module, seed, accuracy=accuracy)
        for module, gain in GAINS.items():
            drawn.add("paper_small_controls", "alexnet_cvgj", module, seed, accuracy=85, gain=gain / 4,
                      tail="/plain", **{"network.normalise": False})  # fmt: skip
            for rate, lost in ((0.01, -0.2 if module != "none" else 0.6), (0.02, -1)):
                drawn.add("paper_small_controls", "alexnet_cvgj", module, seed, accuracy=86, gain=gain + lost,
                          tail=f"/{rate}", **{"optimizer.rate": rate})  # fmt: skip
        for part in (16, 8, 4, 2):
            drawn.add("paper_small_growth", "tf_efficientnet_lite0", "pse_conv", seed, gain=0,
                      accuracy=91 - 30 * (IMAGES / part) ** -0.3, images=IMAGES // part, tail=f"/{part}",
                      share=1 / part)  # fmt: skip
        drawn.add("paper_lfwa_small", "alexnet_cvgj", "pse_conv", seed)
    return drawn


def write_costs(folder: Path) -> None:
    """Write costs.json with what each module costs on one trunk."""
    rows = [
        {"trunk": "alexnet_cvgj", "module": module, "size": [131, 131], "parameters": 9_000_000 + own,
         "module_parameters": own, "multiply_adds": 4.1e8 + 500 * own, "step_seconds": 1 + own / 1e7,
         "step_spread": [0.98, 1.03], "kept_bytes": 5_000_000 + own}
        for module, own in zip(GAINS, (0, 67_712, 12_936, 1_416), strict=True)
    ]  # fmt: skip
    about = {"device": "a processor", "threads": 2, "date": "2026-11-28", "commit": "0", "batch": 32, "rows": rows}
    (folder / "costs.json").write_text(json.dumps(about), encoding="utf-8")
