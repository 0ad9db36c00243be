"""What bounds the shipped weights: labels that differ between the splits, and what an average of networks reaches."""

from __future__ import annotations

import json
from pathlib import Path

from documents import RESULTS

CALIBRATION = RESULTS / "weights" / "calibration_limit.json"
ACCURACY = RESULTS / "weights" / "accuracy_limit.json"

_VALIDATION = "yes in validation"


def calibration_limit(result: Path = CALIBRATION) -> str:
    """Return what is left to win by fitting, and where validation and test labels differ most."""
    found = json.loads(result.read_text(encoding="utf-8"))
    mean, attributes = found["mean"], found["attributes"]
    apart = sorted(attributes, key=lambda name: -abs(attributes[name]["yes in test"] - attributes[name][_VALIDATION]))
    named = ", ".join(
        f"{name.replace('_', ' ')} {attributes[name][_VALIDATION]:.0f} and {attributes[name]['yes in test']:.0f}"
        for name in apart[:4]
    )
    return (
        "Fitted on one half of the test people and measured on the other, the same one scale and shift would be off "
        f"by {mean['fitted on the other half of the test people']:.2f}, against {mean['by chance, then']:.2f} by "
        "chance. So nearly all that is left is not the network's: the splits were ticked differently. Percent of yes "
        f"in validation and in test: {named}.\n"
    )


def accuracy_limit(result: Path = ACCURACY) -> str:
    """Return what averages of our networks reach, and all of them calibrated on test faces."""
    found = json.loads(result.read_text(encoding="utf-8"))
    columns = [key for key in found["alone"][0] if key != "model"]
    lines = [
        f"Mean accuracy in percent on {found['images']['validation']:,} validation and {found['images']['test']:,} "
        "test faces, calibrated on validation faces where nothing else is said:",
        "",
        f"| | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    named = {f"`{network['model']['name']}`": network for network in found["alone"]}
    named |= {f"the best {average['networks']}, averaged": average for average in found["averaged"]}
    lines += [f"| {name} | {' | '.join(f'{row[key]:.2f}' for key in columns)} |" for name, row in named.items()]
    return "\n".join(lines) + "\n"
