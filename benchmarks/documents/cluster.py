"""A cluster: what a billion photographs would take, reckoned from rates that were measured."""

from __future__ import annotations

import json
from pathlib import Path

from documents import RESULTS

SPEED = RESULTS / "photographs" / "speed.json"
RATES = RESULTS / "serve" / "cluster_rates.json"

#: Of the reckoning: photographs, how many of them a partition has, and on how many cores.
_PHOTOGRAPHS, _PARTITION, _CORES = 1_000_000_000, 10_000, (100, 1_000, 10_000)

#: Photographs of the small run where a record does not say, whose rates count them though its time is taken off.
_FEW = 8


def rates(result: Path = RATES) -> str:
    """Return photographs a second on Ray, beside the local form, and what is written."""
    found = json.loads(result.read_text(encoding="utf-8"))
    few, count = found.get("photographs of the small run"), found["photographs"]
    counted = 1.0 if few else (count - _FEW) / count
    ours, beside = (counted * found["photographs_per_second"][form]["median"] for form in ("on Ray", "local"))
    small, size = found["start of a run on Ray, seconds"]["median"], found["bytes"]
    return (
        f"On {found['cores']} cores ({found['device_name']}), {count:,} photographs of 250 x 250 in "
        f"partitions of {found['partition']}, medians of {found['rounds']} rounds in turn: {ours:.0f} a second on Ray, "
        f"{beside:.0f} in the local form. Ray takes {found['start of Ray, seconds']:.0f} s to start, and a run "
        f"of {few or _FEW} photographs on it {small:.0f} s. A row takes {size['a row']:.0f} bytes of Parquet, a file "
        f"{size['a file, beside its rows']:,} beside its rows.\n"
    )


def billion(speed: Path = SPEED, result: Path = RATES) -> str:
    """Return core-hours, days and bytes of a billion photographs, by their size."""
    measured, found = (json.loads(path.read_text(encoding="utf-8")) for path in (speed, result))
    rows = _PHOTOGRAPHS * found["rows a photograph"]
    files = _PHOTOGRAPHS // _PARTITION
    out = rows * found["bytes"]["a row"] + files * found["bytes"]["a file, beside its rows"]
    lines = [
        "| photographs | bytes each | a second on a core | core-hours | "
        + " | ".join(f"days, {cores:,} cores" for cores in _CORES)
        + " | read, TB | minutes a partition | price |",
        "|---" * (7 + len(_CORES)) + "|",
    ]
    for size, row in measured["sizes"].items():
        rate = row["photographs_per_second"]["median"] / measured["cores"]
        hours = _PHOTOGRAPHS / rate / 3600
        days = " | ".join(
            f"{hours / 24 / cores:.2g}" if cores > 100 else f"{hours / 24 / cores:.1f}" for cores in _CORES
        )
        read = _PHOTOGRAPHS * row["bytes a photograph"] / 1e12
        lines.append(
            f"| {size} | {row['bytes a photograph']:,} | {rate:.1f} | {hours:,.0f} | {days} | {read:,.0f} | "
            f"{_PARTITION / rate / 60:.0f} | {hours:,.0f} P |"
        )
    lines += [
        "",
        f"Written: {out / 1e12:.2g} TB in {files:,} files of {_PARTITION:,} photographs each, with "
        f"{found['rows a photograph']:.2f} rows a photograph.",
    ]
    return "\n".join(lines) + "\n"
