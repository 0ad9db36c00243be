"""The README's numbers, written from the evaluation of the shipped weights: nothing in them is typed by hand.

    python benchmarks/readme_numbers.py

Reads results/weights/default.json (facelocus evaluate --json) and the record of the run that made the weights.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
EVALUATION = ROOT / "results" / "weights" / "default.json"
RECORD = ROOT / "results" / "weights" / "refine" / "record.json"
BEGIN, END = "<!-- numbers -->\n", "<!-- /numbers -->"

_ROWS = {
    "mean_accuracy": "accuracy",
    "mean_balanced_accuracy": "balanced accuracy",
    "mean_f1": "F1",
    "mean_average_precision": "average precision",
}


def numbers(evaluation: Path = EVALUATION, record: Path = RECORD) -> str:
    """Return the table as Markdown, from an evaluation and the record of the run."""
    report = json.loads(evaluation.read_text(encoding="utf-8"))
    people = f" of {report['people']:,} people" if report["people"] else ""
    lines = [
        f"On {report['images']:,} faces{people} ({report['data']['description']}; {report['split']} split), "
        f"means over {len(report['attributes'])} attributes in percent, with 95 % intervals over "
        f"resampled {report['bootstrap']['over']}:",
        "",
        "| | mean | interval |",
        "|---|---|---|",
    ]
    for key, title in _ROWS.items():
        low, high = report["intervals"][key]
        lines.append(f"| {title} | {report[key]:.2f} | {low:.2f} to {high:.2f} |")
    lines += ["", _extremes(report["attributes"]) + " " + _run(record)]
    return "\n".join(lines) + "\n"


def _extremes(attributes: dict[str, Any]) -> str:
    """Say where it is good and where it is not, by balanced accuracy: plain accuracy flatters rare attributes."""
    ranked = sorted(attributes, key=lambda name: attributes[name]["balanced_accuracy"], reverse=True)
    best, worst = (
        ", ".join(f"{name.replace('_', ' ')} {attributes[name]['balanced_accuracy']:.0f}" for name in names)
        for names in (ranked[:3], ranked[:-4:-1])
    )
    return f"Best by balanced accuracy: {best}. Worst: {worst}."


def _run(record: Path) -> str:
    """Say how the weights were made, run after run."""
    run = json.loads(record.read_text(encoding="utf-8"))
    chain = [run]
    while before := chain[0].get("from"):
        chain.insert(0, before)
    recipes = ", then ".join(f"`{link['recipe']}`" for link in chain)
    minutes = sum(link["seconds"] for link in chain) / 60
    return (
        f"Trained with the recipe {recipes} on {run['data']['training_images']:,} faces in {minutes:.0f} minutes "
        f"({run['device']}, {run['threads']} threads, other work beside it)."
    )


def with_numbers(readme: str, table: str) -> str:
    """Return the README's text with the table between its markers."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table}{END}{after}"


if __name__ == "__main__":
    README.write_text(with_numbers(README.read_text(encoding="utf-8"), numbers()), encoding="utf-8")
