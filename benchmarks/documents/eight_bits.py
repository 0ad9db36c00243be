"""What 8 bits gain and cost."""

from __future__ import annotations

import json
from pathlib import Path

from documents import RESULTS

RECORD = RESULTS / "weights" / "eight_bits.json"


def eight_bits(result: Path = RECORD) -> str:
    """Return both forms of each file side by side: size, time and what is right."""
    found = json.loads(result.read_text(encoding="utf-8"))
    lines = [
        f"Milliseconds are a face's, {found['batch']} at a time, on {found['threads']} cores of {found['device']}, all "
        "in turns, with quartiles; percent is mean accuracy, and balanced accuracy at its thresholds:",
        "",
        "| | MB | milliseconds | validation | test | balanced, validation | balanced, test |",
        "|---|---|---|---|---|---|---|",
    ]
    for form in found["forms"]:
        low, high = form["milliseconds_quartiles"]
        percents = (form[key] for key in ("validation", "test", "validation_balanced", "test_balanced"))
        lines.append(
            f"| `{form['model']}`, {form['precision']} | {form['bytes'] / 1e6:.1f} | {form['milliseconds']:.1f} "
            f"({low:.1f} to {high:.1f}) | {' | '.join(f'{percent:.2f}' for percent in percents)} |"
        )
    return "\n".join(lines) + "\n"
