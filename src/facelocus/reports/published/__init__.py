"""What others printed, in percent: the paper's Table 1 (CelebA) and Table 2 (LFWA), and what is known beside them.

The tables are the CSV files of this folder, as printed; attributes have CelebA's names.
"""

from __future__ import annotations

import csv
import importlib.resources

#: The columns of Table 1: the methods that the paper compares with, and its own.
OTHERS = ("LNets+ANet", "MCNN-AUX", "DMTL", "AFFACT", "PaW", "HRP", "SSP+SSG")
OWN = ("Baseline-Alex", "PSE(a)-Alex", "PSE(b)-Alex", "Baseline-SE", "PSE(a)-SE", "PSE(b)-SE")

#: Training and test images of CelebA's own split, on which all of Table 1 was trained and measured.
TRAINING_IMAGES, TEST_IMAGES = 162_770, 19_962

#: What Alex sees in its 20,000 iterations of 256 images, and the side of its input in pixels (section 4.2).
ALEX_IMAGES, ALEX_SIDE = 20_000 * 256, 227

#: Mean accuracy of SSP+SSG as reported elsewhere, second-hand: the 81.45 of Table 1 is another metric.
SSP_SSG_ACCURACY = 91.80

#: Share of the training images -> mean accuracy of a classifier on FaRL's frozen features, second-hand.
FARL_FROZEN = {0.01: 89.66, 0.1: 90.99}

_AVERAGE = "Average (as printed)"


def table1() -> dict[str, dict[str, float]]:
    """Return accuracy on CelebA: method -> attribute -> percent; empty for SSP+SSG, which has an average alone."""
    rows = _rows("table1_celeba.csv")
    return {
        method: {row["attribute"]: float(row[method]) for row in rows if row["attribute"] != _AVERAGE and row[method]}
        for method in (*OTHERS, *OWN)
    }


def averages() -> dict[str, float]:
    """Return the last row of Table 1 as printed: method -> percent."""
    (row,) = (row for row in _rows("table1_celeba.csv") if row["attribute"] == _AVERAGE)
    return {method: float(row[method]) for method in (*OTHERS, *OWN)}


def table2() -> dict[str, float]:
    """Return average accuracy on LFWA: method -> percent."""
    return {row["method"]: float(row["average_accuracy"]) for row in _rows("table2_lfwa.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    text = (importlib.resources.files(__name__) / name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
