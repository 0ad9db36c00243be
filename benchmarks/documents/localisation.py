"""Where the shipped sub-networks look."""

from __future__ import annotations

import json
from pathlib import Path

from documents import RESULTS

LOCALISATION = RESULTS / "localisation" / "default.json"


def localisation(result: Path = LOCALISATION) -> str:
    """Return how far the shipped masks lie on their regions, and what is lost where they are hidden."""
    found = json.loads(result.read_text(encoding="utf-8"))
    hidden = found["faithfulness"]
    lines = [
        f"The shipped model on {found['faces']:,} {found['split']} faces of {found['people']} people, with 95 % "
        "intervals over people:",
        "",
        "| region | own | others | pointing | by chance |",
        "|---|---|---|---|---|",
    ]
    for name, row in {"all": found, **found["regions"]}.items():
        own, others, pointing = (_between(row[key]) for key in ("own", "others", "pointing"))
        lines.append(f"| {name} | {own} | {others} | {pointing} | {row['pointing by chance']:.2f} |")
    lines += [
        "",
        f"On {hidden['faces']} of them, right answers in percent with a fifth of the frame hidden, or shown alone; "
        f"whole it is {hidden['whole'][0]:.1f}:",
        "",
        "| the fifth where the mask is | hidden | shown alone |",
        "|---|---|---|",
    ]
    for order in ("highest", "lowest", "random"):
        cells = " | ".join(_between(hidden[f"{order} {kind}"], 1) for kind in ("hidden", "shown"))
        lines.append(f"| {'anywhere, at random' if order == 'random' else order} | {cells} |")
    return "\n".join(lines) + "\n"


def _between(estimate: list[float], digits: int = 2) -> str:
    mean, low, high = (f"{value:.{digits}f}" for value in estimate)
    return f"{mean} ({low} to {high})"
