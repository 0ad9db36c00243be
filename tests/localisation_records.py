"""Records of localisation as its grid and benchmarks leave them, drawn instead of trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from facelocus.attributes import CELEBA
from paper_records import Drawn

GRID, TRUNK, SEEDS = "localisation_small", "tf_efficientnet_lite0", (0, 1, 2)
#: The grid of what else could explain it, and what it changes.
CONTROLS, CONDITIONS = "localisation_controls_small", ("rate_0.002", "rate_0.0005", "pooling_max", "plain")
#: Variant -> points of accuracy against no attention, and its masks' own less others.
VARIANTS = {
    "none": (0.0, None),
    "pse_conv": (0.1, 0.55),
    "squeeze_max": (0.15, 0.5),
    "squeeze_weighted": (0.2, 0.75),
    "pse_residual": (0.1, 0.3),
    "pse_normalised": (0.1, 0.85),
    "pse_softmax": (1.6, 1.3),
    "pse_sharp": (-1.5, 1.1),
    "pse_open": (0.1, 0.4),
    "overlap": (0.1, 0.7),
    "outside": (1.2, 2.4),
}
#: Of each region: how far its own mask and the others lie on it in PSE(b), and its share of the area.
REGIONS = dict(zip(CELEBA.regions, (
    (2.2, 2.1, 0.2), (1.5, 0.9, 0.3), (3.6, 2.1, 0.07), (3.4, 2.8, 0.04), (2.0, 1.8, 0.1), (3.3, 2.6, 0.02),
    (2.1, 1.8, 0.07), (1.6, 0.8, 0.08),
), strict=True))  # fmt: skip
#: Through HiResCAM and Grad-CAM: own less others, and points lost by hiding it more than at random.
FREE = {"hirescam": (0.9, 7.0), "gradcam": (0.2, 3.0)}


def localised(
    apart: float, lost: float = 5.0, key: str = "", across: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Return what measure_localisation would say of a network.

    Args:
        apart: own less others, over regions.
        lost: points that hiding where maps are highest loses more than hiding at random.
        key: equal keys draw equal noise.
        across: region -> own less others there, instead of a share of `apart`.
    """
    rng = np.random.default_rng([*key.encode()])

    def mean(value: float, width: float = 0.02) -> list[float]:
        about = float(value + rng.normal(0, width))
        return [round(about, 4), round(about - width, 4), round(about + width, 4)]

    of_pse = float(np.mean([own - others for own, others, _ in REGIONS.values()]))
    gaps = {name: apart * (own - others) / of_pse for name, (own, others, _) in REGIONS.items()} | dict(across or {})
    whole, hidden = 88.6, 85.0
    return {
        "faces": 1000, "people": 400, "positions": [7, 6],
        "own": mean(2.0 + apart), "others": mean(2.0), "own less others": mean(apart),
        "pointing": mean(0.3 + 0.15 * apart, 0.01), "pointing by chance": 0.11,
        "likeness of two masks": mean(0.7 - 0.2 * apart, 0.01),
        "regions": {
            name: {
                "area": area, "own": mean(others + gaps[name]), "others": mean(others),
                "own less others": mean(gaps[name]),
                "mean mask, own": round(others + gaps[name], 4), "mean mask, others": others,
                "pointing": mean(0.5), "pointing by chance": area,
                "mean": 0.45, "lowest": 0.25, "highest": 0.9,
            }
            for name, (_, others, area) in REGIONS.items()
        },
        "faithfulness": {
            "faces": 200, "share": 0.2, "unit": "right answers in percent", "whole": mean(whole, 0.5),
            "highest hidden": mean(hidden - lost, 0.8), "highest shown": mean(84.0, 0.8),
            "lowest hidden": mean(88.0, 0.5), "lowest shown": mean(79.0, 0.8),
            "random hidden": mean(hidden, 0.7), "random shown": mean(80.0, 0.8),
            "highest hidden loses more than random": mean(lost, 0.5),
            "highest shown keeps more than random": mean(0.8 * lost, 0.5),
            "regions": {},
        },
        "bootstrap": {"resamples": 2000, "seed": 0, "over": "people"},
    }  # fmt: skip


def look(
    variant: str, maps: str, seed: int, apart: float, grid: str = GRID, condition: str = "", **more: Any
) -> dict[str, Any]:
    """Return a line of masks.jsonl."""
    run = f"{grid}/{TRUNK}/{variant}{condition and '/' + condition}/{seed}"
    about = {"run": run, "maps": maps, "module": variant, "seed": seed}
    return about | localised(apart, key=run + maps, **more) | {"commit": "0123456789ab", "device": "a processor"}


def whole_grid() -> tuple[Drawn, list[dict[str, Any]]]:
    """Return the runs of the grid, and the lines of where they look."""
    drawn, looks = Drawn(), []
    for seed in SEEDS:
        for variant, (gain, apart) in VARIANTS.items():
            drawn.add(GRID, TRUNK, variant, seed, accuracy=88.5, gain=gain)
            through = FREE if apart is None else {"masks": (apart, 3 + 2 * apart)} | FREE
            looks += [
                look(variant, maps, seed, between + 0.05 * (seed - 1), lost=lost)
                for maps, (between, lost) in through.items()
            ]
    for condition in CONDITIONS:
        for variant in ("none", "pse_conv", "outside"):
            gain, apart = VARIANTS[variant]
            drawn.add(CONTROLS, TRUNK, variant, 0, accuracy=88, gain=gain, tail=f"/{condition}", condition=condition)
            if apart is not None:
                looks.append(look(variant, "masks", 0, apart, CONTROLS, condition))
    return drawn, looks


def write_looks(folder: Path, looks: list[dict[str, Any]]) -> None:
    """Write masks.jsonl in the order given."""
    (folder / "masks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in looks), encoding="utf-8")


def write_measurements(folder: Path) -> None:
    """Write default.json, regions.json and training.json."""
    shipped = {"model": {"name": "default", "sha256": "0cede2920a07", "commit": "0"}, "maps": "masks", "split": "test"}
    regions = {
        name: {"own": 2.4 if name != "chin" else 1.1, "others": 1.2, "highest inside": name != "cheeks and ears",
               "highest inside by chance": area}
        for name, (_, _, area) in REGIONS.items()
    }  # fmt: skip
    steps = (*range(0, 300, 20), 299)
    runs = {
        "normalised": [seen(step, 0.5 - step / 1500, 0.02 + step / 2500) for step in steps],
        "not normalised": [seen(step, 0.5 + step / 1000, 0.02 + step / 9000) for step in steps],
    }
    for name, record in (
        ("default", shipped | localised(1.5, key="default")),
        ("regions", {"what": "regions", "faces": 20_000, "regions": regions}),
        ("training", {"what": "masks while training", "faces": 256, "runs": runs}),
    ):
        (folder / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")


def seen(step: int, level: float, spread: float) -> dict[str, float]:
    """Return what mask_statistics.py sees at a step."""
    noise = float(np.random.default_rng([step, int(1000 * level)]).uniform(0.8, 1.25))
    return {
        "step": step, "loss": 16 - step / 45, "gradient at W1": 0.1 * spread * noise / (1 + step / 80),
        "gradient at convolution": 1e-2 * noise / (1 + step / 150), "mean": level, "spread over positions": spread,
        "saturated": step * level / 6000, "likeness of two masks": 0.9 - 3 * spread, "own": 1.6 + 5 * spread,
        "others": 1.6 + 2 * spread, "squeeze: between positions": 0.5 - spread,
        "squeeze: between faces": 0.15 + spread / 2, "squeeze: both": 0.35 + spread / 2,
    }  # fmt: skip
