"""What has to be known to repeat a run: seed, commit, versions, data, device, date."""

from __future__ import annotations

from typing import Any

import torch

from facelocus.data.pack import Pack
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.training.recipe import Recipe


def run_record(
    recipe: Recipe, pack: Pack, name: str, device: torch.device, images: int, start: dict[str, Any] | None
) -> dict[str, Any]:
    """Return the record of a run that starts now on `images` training images; JSON-ready, without paths.

    `start` is the record of the run whose weights it starts from.
    """
    return {
        "recipe": name,
        "seed": recipe.seed,
        "from": start,
        "commit": commit(),
        "date": now(),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint, "training_images": images},
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name(),
        "threads": torch.get_num_threads(),
        "versions": versions("torch", "timm", "numpy", "pillow"),
    }
