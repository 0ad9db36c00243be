"""Time to accuracy: the recipe `laptop` beside a stock fine-tune, and what else was tried for it."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from documents.performance import BENCH, records
from facelocus.reports.grid.markdown import spread

#: What a run's mean is taken of -> places after the point.
_KEYS = {"seconds": 0, "validation": 2, "test": 2, "test_balanced": 2}


def time_to_accuracy(folder: Path = BENCH) -> str:
    """Return seconds and accuracies of a stock fine-tune and of `laptop`, and what share of the time that is."""
    (record,) = records(folder, what="time_to_accuracy")
    names = {"stock": "stock fine-tune", "laptop": "`laptop`", "longer": "`laptop`, longer"}
    count = len(record["stock"])
    pairs = (run for side in ("stock", "laptop") for run in record[side])
    devices = dict.fromkeys(f"{run['device_name']}, {run['threads']} threads" for run in pairs)
    lines = [
        f"{' and '.join(devices)}, torch {record['versions']['torch']}; "
        + (f"mean and standard deviation of {count} runs, in turns." if count > 1 else "**one run each** so far."),
        "",
        "| | seconds | validation | test | balanced, test |",
        "|---|---|---|---|---|",
    ]
    for side, name in names.items():
        if record[side]:
            columns = [spread([run[key] for run in record[side]], places) for key, places in _KEYS.items()]
            lines.append(f"| {name} | {' | '.join(columns)} |")
    ours, stock = _means(record["laptop"]), _means(record["stock"])
    lines += [
        "",
        f"`laptop` takes {100 * ours['seconds'] / stock['seconds']:.0f} % of the stock fine-tune's time and ends "
        f"{ours['validation'] - stock['validation']:+.2f} points from it on validation faces, "
        f"{ours['test'] - stock['test']:+.2f} on test faces.",
    ]
    if record["longer"]:
        lines += ["", _longer(record["longer"])]
    return "\n".join(lines) + "\n"


def minutes(folder: Path = BENCH) -> str:
    """Return what `laptop` reaches in how many minutes, in one sentence."""
    (record,) = records(folder, what="time_to_accuracy")
    ours, stock = _means(record["laptop"]), _means(record["stock"])
    cores = f"{record['laptop'][0]['threads']} cores of {record['laptop'][0]['device_name']}"
    return (
        f"Minutes are enough for a first network: `facelocus train laptop` reaches {ours['test']:.2f} % of test labels "
        f"right in {ours['seconds'] / 60:.0f} minutes on {cores}, a stock fine-tune of the same trunk "
        f"{stock['test']:.2f} % in {stock['seconds'] / 60:.0f} ([how fast](docs/performance.md)).\n"
    )


def ways(folder: Path = BENCH) -> str:
    """Return what was tried on the way to `laptop`, on validation faces."""
    (record,) = records(folder, what="laptop_ways")
    lines = [
        "| phases, by epochs | frozen stages | rate, pooling | validation on the way | at the end |",
        "|" + 5 * "---|",
    ]
    for run in record["runs"]:
        phases = [f"{phase['epochs']} at {phase['size'][0]} x {phase['size'][1]}" for phase in run["phases"]]
        frozen = [str(phase["frozen_stages"]) for phase in run["phases"]]
        kind = f"{run['rate']}, {run['pooling']}" + (", all stages of the trunk" if run.get("context") else "")
        *before, end = (f"{look['accuracy']:.2f} (step {look['step']:,})" for look in run["validation"])
        lines.append(f"| {', then '.join(phases)} | {', '.join(frozen)} | {kind} | {', '.join(before)} | {end} |")
    return "\n".join(lines) + "\n"


def _longer(runs: list[dict[str, Any]]) -> str:
    """Return what `laptop` is told to go on to the paper's accuracy, and where it gets."""
    told = " ".join(f"--set '{setting}'" for setting in runs[0]["settings"])
    count = "one run" if len(runs) == 1 else f"{len(runs)} runs"
    devices = " and ".join(dict.fromkeys(run["device_name"] for run in runs))
    return (
        f"*Longer* is `facelocus train laptop {told}`, {count} on {devices}: {_means(runs)['test']:.2f} on these "
        "test faces. The paper's network has 91.13 on the whole test split, trained on all of CelebA."
    )


def _means(runs: list[dict[str, Any]]) -> dict[str, float]:
    return {key: fmean(run[key] for run in runs) for key in _KEYS}
