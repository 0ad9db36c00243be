"""What sets runs apart: their settings, data and origin, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from facelocus.reports.runs import Run
from facelocus.training.settings import dotted


def between(runs: Sequence[Run]) -> dict[str, list[tuple[Any, list[Run]]]]:
    """Return what differs between runs: setting -> its values, each with its runs, the commonest first.

    Settings are those of the recipe, and "data", "from", "commit" and "device" of the record.
    """
    compared = [_about(run) | dotted(run.recipe.to_json()) for run in runs]
    found = {}
    for key in compared[0] if compared else ():
        values: dict[str, tuple[Any, list[Run]]] = {}
        for run, settings in zip(runs, compared, strict=True):
            value = settings[key]
            values.setdefault(json.dumps(value), (value, []))[1].append(run)
        if len(values) > 1:
            found[key] = sorted(values.values(), key=lambda each: -len(each[1]))
    return found


def _about(run: Run) -> dict[str, Any]:
    data, start = run.record["data"], run.record.get("from")
    return {
        "data": f"{data['training_images']:,} training images of {data['description']} ({data['fingerprint'][:8]})",
        "from": start and _named(start),
        "commit": run.record.get("commit"),
        "device": run.record.get("device"),
    }


def _named(start: dict[str, Any]) -> str:
    """Say what a run started from: another run, or published layers."""
    if "layers_of" in start:
        return f"{start['layers_of']} ({start['caffemodel_sha256'][:8]})"
    return f"{start['recipe']} of {start['date'][:10]}"
