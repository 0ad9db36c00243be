"""How right answers fall as pictures get worse: the shipped weights, and PSE(b) beside no attention."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from documents import RESULTS

RESULT = RESULTS / "weights" / "robustness.json"

#: Names of models in the record; all are compared with the first there, `laptop`.
SHIPPED, LAPTOP, NONE = "shipped", "laptop", "laptop, no attention"

#: Way of getting worse -> the levels that the table has: what photographs often have, and the worst.
LEVELS = {
    "JPEG": ("40", "5"),
    "blur": ("2", "8"),
    "noise": ("10", "60"),
    "resolution": ("2", "8"),
    "colour": ("0.5", "1"),
    "roll": ("10", "30"),
    "scale": ("0.8", "0.6"),
}


def robustness(result: Path = RESULT) -> str:
    """Return balanced accuracy at two levels of each way, and with each region hidden."""
    record = json.loads(result.read_text(encoding="utf-8"))
    models = record["models"]
    shipped, bare = models[SHIPPED], models[NONE]
    whole = shipped["as they are"]["as they are"]
    lines = [
        f"Mean balanced accuracy in percent on {record['faces']:,} test faces of {record['people']:,} people; as they "
        f"are {whole['balanced accuracy'][0]:.1f}. Beside it what PSE(b) is ahead of no attention, both trained by "
        f"`laptop` as of commit {models[LAPTOP]['model']['commit']}, in points with 95 % intervals over people; "
        f"as they are {_lead(bare['as they are']['as they are']['lead of the first'])}.",
        "",
        "| worse by | at | shipped | ahead | at | shipped | ahead |",
        "|---|---|---|---|---|---|---|",
    ]
    for way, levels in LEVELS.items():
        cells = [f"{way}, {record['ways'][way]['unit']}"]
        for level in levels:
            cells += [
                level,
                f"{shipped[way][level]['balanced accuracy'][0]:.1f}",
                _lead(bare[way][level]["lead of the first"]),
            ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "With a region covered in grey, its own attributes fall, and the others hardly should:",
        "",
        "| covered | its own attributes | the others | PSE(b) ahead |",
        "|---|---|---|---|",
    ]
    for region, point in shipped["hidden region"].items():
        ahead = _lead(bare["hidden region"][region]["lead of the first"])
        own, others = (point[key][0] for key in ("of its attributes", "of the others"))
        lines.append(f"| {region} | {own:.1f} | {others:.1f} | {ahead} |")
    return "\n".join(lines) + "\n"


def _lead(estimate: Sequence[float]) -> str:
    value, low, high = (round(number, 1) + 0.0 for number in estimate)  # -0.0 + 0.0 is 0.0
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"
