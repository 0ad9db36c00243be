"""The records of the paper's grids, read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facelocus.reports.grid.people import Counts, read_people
from facelocus.reports.grid.runs import read_runs
from facelocus.reports.paper.costs import Costs, read_costs
from facelocus.reports.paper.runs import Run


@dataclass(frozen=True)
class Records:
    """All records of a folder.

    Attributes:
        runs: in the order of their names, whatever that of the lines.
        labels: positives and negatives of each test person, uint16 2 x P x A; None without people/labels.*.npz.
        counts: run -> how many of them were decided right at the thresholds "half" and "balanced"; only runs on
            these test faces that have a file.
        costs: None without costs.json.
    """

    runs: tuple[Run, ...]
    labels: Counts | None
    counts: dict[str, dict[str, Counts]]
    costs: Costs | None


def read_records(folder: Path) -> Records:
    """Read a folder of records; what is not there yet is left out.

    Raises:
        InputError: no such folder, or a file or line of it is damaged; names file and line.
    """
    runs = read_runs(folder, Run)
    labels, counts = read_people(folder / "people", [run for run in runs if not run.stand_in])
    return Records(runs, labels, counts, read_costs(folder / "costs.json"))
