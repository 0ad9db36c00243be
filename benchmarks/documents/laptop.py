"""Time to accuracy: the recipe `laptop` beside a stock fine-tune, and what else was tried for it."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from documents.performance import BENCH, records
from facelocus.reports import published
from facelocus.reports.grid.markdown import spread

#: What a run reached, in percent.
_REACHED = ("validation", "test", "test_balanced")


def time_to_accuracy(folder: Path = BENCH) -> str:
    """Return seconds and accuracies of a stock fine-tune and of `laptop`, and what share of the time that is.

    Seconds are of one kind of processor each; accuracies are of all runs.
    """
    (record,) = records(folder, what="time_to_accuracy")
    stock, ours = record["stock"], record["laptop"]
    names = {"stock": "stock fine-tune", "laptop": "`laptop`", "longer": "`laptop`, longer"}
    by_device = {side: _by_device(record[side]) for side in names}
    pairs = by_device["stock"]
    heads = [f"seconds, {device}, {_count(runs, 'pair')}" for device, runs in pairs.items()]
    lines = [
        f"{stock[0]['threads']} threads, torch {record['versions']['torch']}; the two in turns, pair by pair. "
        "Mean and standard deviation; of the percents, over all runs.",
        "",
        f"| | {' | '.join(heads)} | validation | test | balanced, test |",
        f"|---|{'---|' * len(heads)}---|---|---|",
    ]
    for side, name in names.items():
        if runs := by_device[side]:
            seconds = [
                spread([run["seconds"] for run in runs[device]], 0) if device in runs else "" for device in pairs
            ]
            reached = [spread([run[key] for run in record[side]], 2) for key in _REACHED]
            lines.append(f"| {name} | {' | '.join(seconds + reached)} |")
    shares = [
        f"{100 * _mean(by_device['laptop'][device], 'seconds') / _mean(runs, 'seconds'):.0f} % on {device}"
        for device, runs in pairs.items()
    ]
    ahead = {key: _mean(ours, key) - _mean(stock, key) for key in _REACHED}
    lines += [
        "",
        f"Of the stock fine-tune's time `laptop` takes {' and '.join(shares)}. It ends {ahead['validation']:+.2f} "
        f"points from it on validation faces, {ahead['test']:+.2f} on test faces.",
    ]
    if record["longer"]:
        lines += ["", _longer(record["longer"])]
    return "\n".join(lines) + "\n"


def minutes(folder: Path = BENCH) -> str:
    """Return what `laptop` reaches, and in how many minutes where most pairs ran, in one sentence."""
    (record,) = records(folder, what="time_to_accuracy")
    ours, stock = record["laptop"], record["stock"]
    pairs = _by_device(stock)
    device = max(pairs, key=lambda name: len(pairs[name]))
    took, stock_took = (_mean(_by_device(runs)[device], "seconds") / 60 for runs in (ours, stock))
    return (
        f"Minutes are enough for a first network: `facelocus train laptop` reaches {_mean(ours, 'test'):.2f} % of test "
        f"labels right in {took:.0f} minutes on {ours[0]['threads']} cores of {device}, a stock fine-tune of "
        f"the same trunk {_mean(stock, 'test'):.2f} % in {stock_took:.0f} ([how fast](docs/performance.md)).\n"
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
    return (
        f"*Longer* is `facelocus train laptop {told}`, {_count(runs, 'run')} on {' and '.join(_by_device(runs))}: "
        f"{_mean(runs, 'test'):.2f} on these test faces. The paper's network has "
        f"{published.averages()['PSE(b)-Alex']:.2f} on the whole test split, trained on all of CelebA."
    )


def _by_device(runs: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    devices = dict.fromkeys(run["device_name"] for run in runs)
    return {device: [run for run in runs if run["device_name"] == device] for device in devices}


def _mean(runs: list[dict[str, Any]], key: str) -> float:
    return fmean(run[key] for run in runs)


def _count(runs: list[dict[str, Any]], what: str) -> str:
    return f"one {what}" if len(runs) == 1 else f"{len(runs)} {what}s"
