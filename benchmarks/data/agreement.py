"""How far labels of one person's pictures agree: a ceiling for what can be learnt about a person, and a warning.

    python benchmarks/data/agreement.py CELEBA --to results/data/agreement.json

Two pictures of one person should have one label of what does not change between pictures, the shape of a nose say. For
each attribute: how often two of them do, each person counting once, beside how often two labels of anybody do.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from facelocus.data.readers import read_table
from facelocus.files import write_record
from facelocus.provenance import commit, now, versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("celeba", type=Path, help="labelled faces with people, of any layout")
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    table = read_table(arguments.celeba)
    assert table.people is not None
    record = {
        "what": "agreement of the labels of two pictures of one person, and of two pictures of anybody",
        "unit": "percent; kappa: the share of what could disagree by chance that does not",
        "data": table.description,
        **agreement(table.labels, table.people, table.attributes.names),
        "date": now(),
        "commit": commit(),
        "versions": versions("numpy"),
    }
    write_record(arguments.to, record)


def agreement(labels: npt.NDArray[np.int8], people: npt.NDArray[np.integer], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the agreement by attribute, over people with two pictures or more: labels are 1 and 0, N x A."""
    _, person, pictures = np.unique(people, return_inverse=True, return_counts=True)
    several = pictures >= 2
    yes = np.zeros((len(pictures), labels.shape[1]))
    np.add.at(yes, person, labels == 1)
    yes, count = yes[several], pictures[several][:, None]
    pairs = count * (count - 1) / 2
    agreeing = (yes * (yes - 1) / 2 + (count - yes) * (count - yes - 1) / 2) / pairs
    share = (yes / count).mean(0)
    within, anybody = agreeing.mean(0), share**2 + (1 - share) ** 2
    return {
        "people": int(several.sum()),
        "pictures": int(count.sum()),
        "attributes": {
            name: {
                "yes": round(100 * float(share[i]), 1),
                "within": round(100 * float(within[i]), 1),
                "anybody": round(100 * float(anybody[i]), 1),
                "kappa": round(float((within[i] - anybody[i]) / (1 - anybody[i])), 2),
            }
            for i, name in enumerate(names)
        },
    }


if __name__ == "__main__":
    main()
