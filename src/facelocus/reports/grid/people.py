"""What each run decided about each test person: people/*.npz."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.attributes import CELEBA
from facelocus.errors import InputError
from facelocus.metrics.accuracy import Confusion, mean_over_attributes
from facelocus.reports.grid.runs import Run

_OFF = 5e-4  # percent: the most by which a recorded score, of four decimals, may differ from its counts

#: Of positives and of negatives, by person and attribute: uint16 2 x P x A.
Counts = npt.NDArray[np.uint16]


def read_people(folder: Path, runs: Sequence[Run]) -> tuple[Counts | None, dict[str, dict[str, Counts]]]:
    """Read a folder of counts.

    Returns:
        How many labels each person has, None without a file of them; and run -> how many of them were decided right at
        the thresholds "half" and "balanced". Runs on other test faces, and runs without a file, are not in it.

    Raises:
        InputError: a file is damaged, or is not of its run.
    """
    known = (folder / f"labels.{run.test.labels}.npz" for run in runs)
    file = next((each for each in known if each.exists()), None)
    if file is None:
        return None, {}
    known_by = file.suffixes[0][1:]
    labels: Counts = _read_arrays(file, ("labels",))["labels"]
    counts = {}
    if labels.ndim != 3 or labels.shape[::2] != (2, len(CELEBA)):
        raise InputError(f"{file}: has shape {labels.shape}, not 2 x people x {len(CELEBA)}: run the grid again")
    for run in runs:
        file = folder / f"{run.run.replace('/', '.')}.npz"
        if file.exists() and run.test.labels == known_by:
            counts[run.run] = _read_counts(file, labels, run)
    return labels, counts


def _read_arrays(file: Path, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(file) as archive:
            return {name: archive[name] for name in names}
    except Exception as error:  # numpy, zipfile, zlib and the parser of a header each raise their own
        raise InputError(f"{file}: is damaged: run the grid again") from error


def _read_counts(file: Path, labels: Counts, run: Run) -> dict[str, Counts]:
    """Read the counts of a run and hold them to the scores of its line."""
    counts = _read_arrays(file, ("half", "balanced"))
    for kind in counts.values():
        if kind.shape != labels.shape or (kind > labels).any():
            raise InputError(f"{file}: does not fit the labels: run the grid again")
    totals = {
        kind: Confusion(*labels.sum(1, dtype=np.float64), *counts[kind].sum(1, dtype=np.float64)) for kind in counts
    }
    scores = {
        "mean_accuracy_at_half": totals["half"].accuracy,
        "mean_balanced_accuracy": totals["balanced"].balanced_accuracy,
    }
    for name, score in scores.items():
        if not abs(100 * float(mean_over_attributes(score)) - getattr(run.test, name)) <= _OFF:
            raise InputError(f"{file}: its counts do not give the {name} in runs.jsonl: run the grid again")
    return counts
