"""Numbers, tables and run names as the report writes them: fixed decimals, so that equal records give equal bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from facelocus.reports.grid.differences import Estimate

NONE_YET = "no records yet"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Return a table whose first columns, `words` of them, stand left and whose others stand right."""
    ruled = ["---"] * words + ["---:"] * (len(header) - words)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ruled, *rows))


def points(value: float) -> str:
    """Return a difference with its sign; never a minus before 0.00."""
    return f"{round(value, 2) + 0.0:+.2f}"


def spread(values: Sequence[float], places: int = 2) -> str:
    """Return the mean of values and, of several, the deviation between them."""
    deviation = f" ± {stdev(values):.{places}f}" if len(values) > 1 else ""
    return f"{fmean(values):,.{places}f}{deviation}"


def with_bounds(estimate: Estimate | None, signed: bool = True) -> str:
    """Return a value and its interval."""
    if estimate is None:
        return "no seed in common"
    write = points if signed else "{:.2f}".format
    if estimate.bounds is None:
        return f"{write(estimate.value)} (no interval)"
    low, high = map(write, estimate.bounds)
    return f"{write(estimate.value)} [{low}, {high}]"


def listed(names: Sequence[str]) -> str:
    """Return names with commas and an "and" before the last."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def run_names(runs: Iterable[str]) -> str:
    """Return names of runs, those that differ in the seed alone as one: GRID/NAME/{0,1,2}."""
    seeds: dict[str, list[int]] = defaultdict(list)
    for run in sorted(set(runs)):
        name, _, seed = run.rpartition("/")
        seeds[name].append(int(seed))
    return ", ".join(f"`{name}/{{{','.join(map(str, sorted(its)))}}}`" for name, its in seeds.items())
