"""Run folders as training leaves them, written without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from facelocus.nn.weights import save_tensors
from facelocus.recipes import load_recipe
from facelocus.training.recipe import Recipe

#: Of a recipe with batches of 64: 10 steps an epoch.
IMAGES = 640
#: Steps of the recipe that write_run takes.
STEPS = 50


def write_run(
    folder: Path,
    *,
    settings: tuple[str, ...] = (),
    name: str = "default",
    recipe: Recipe | None = None,
    day: int = 1,
    steps: int = STEPS,
    kept: int | None = None,
    finished: bool = True,
    start: dict[str, Any] | None = None,
    last: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a run of 5 epochs of 10 steps, with a loss every 5 steps and a validation an epoch; return its record.

    Its loss falls from 9 by a tenth a step; its accuracy rises from 80 by 1 an epoch, 79 after the last.

    Args:
        folder: the run folder.
        settings: key=value that differ from the recipe.
        name: how the recipe is called.
        recipe: the recipe; None for the package's of that name.
        day: of November 2026 on which it started.
        steps: for which there are lines.
        kept: the step of the checkpoint; None for none.
        finished: whether it has weights, after 100 seconds.
        start: the record of the run whose weights it starts from.
        last: one more line of metrics.
    """
    folder.mkdir(parents=True)
    made = (recipe or load_recipe(name)).with_settings(settings)
    record = {
        "recipe": name,
        "seed": made.seed,
        "from": start,
        "commit": "0123456789ab",
        "date": f"2026-11-{day:02}T10:00:00+00:00",
        "data": {"description": "drawn faces", "fingerprint": "f" * 64, "training_images": IMAGES},
        "device": "a processor",
    } | ({"seconds": 100.0} if finished else {})
    lines: list[dict[str, Any]] = []
    for step in range(5, steps + 1, 5):
        loss = round(9 - step / 10, 5)
        by_region = {"eyes": loss / 3, "mouth": loss * 2 / 3}
        lines.append({"step": step, "epoch": step / 10, "rate": 0.001, "loss": loss, "loss_by_region": by_region})
        if step % 10 == 0:
            accuracy = 79.0 if step == STEPS else 80.0 + step // 10
            scores = {"mean_accuracy": accuracy, "mean_balanced_accuracy": accuracy - 10}
            lines.append({"step": step, "validation": scores})
    lines += [last] if last else []
    (folder / "recipe.json").write_text(json.dumps(made.to_json()))
    (folder / "record.json").write_text(json.dumps(record))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if kept is not None:
        save_tensors({"one": torch.zeros(1)}, {"step": kept, "seconds": 2.0 * kept}, folder / "checkpoint.safetensors")
    if finished:
        (folder / "weights.safetensors").touch()
    return record
