"""costs.json: what each module costs, measured by benchmarks/attention_costs.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facelocus.reports.grid.runs import decode, read
from facelocus.reports.paper.runs import MODULES


@dataclass(frozen=True)
class Cost:
    """One module on one trunk.

    Attributes:
        size: (height, width) of the network's input.
        module_parameters: those of the attention, of all sub-networks together.
        multiply_adds: of one image, forward.
        step_seconds, step_spread: median and quartiles of a training step.
        kept_bytes: what one image keeps for the backward pass.
    """

    trunk: str
    module: str
    size: tuple[int, int]
    parameters: int
    module_parameters: int
    multiply_adds: float
    step_seconds: float
    step_spread: tuple[float, float]
    kept_bytes: float


@dataclass(frozen=True)
class Costs:
    """All of costs.json; steps are of `batch` images."""

    device: str
    threads: int
    batch: int
    rows: list[Cost]


def read_costs(file: Path) -> Costs | None:
    """Return what the file holds, None without it.

    Raises:
        InputError: it is damaged.
    """
    return decode(read(file), Costs, str(file), "measure it again") if file.exists() else None


def with_baseline(measured: Costs) -> list[tuple[Cost, Cost]]:
    """Return each row with that of none at its trunk and size; rows without one are left out."""
    bare = {(row.trunk, row.size): row for row in measured.rows if row.module == "none"}
    order = list(MODULES)
    rows = sorted((row for row in measured.rows if row.module in MODULES),
                  key=lambda row: (row.trunk, row.size, order.index(row.module)))  # fmt: skip
    return [(row, bare[row.trunk, row.size]) for row in rows if (row.trunk, row.size) in bare]
