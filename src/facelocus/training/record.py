"""What has to be known to repeat a run: seed, commit, versions, data, device, date, command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from facelocus.data.pack import Pack
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.training.precision import precision_on
from facelocus.training.recipe import Recipe


@dataclass(frozen=True)
class Origin:
    """What was asked for, so that it can be asked for again; kept in the run folder alone, as it names places.

    Attributes:
        command: the command with files by their last name only; this goes into the record.
        data: what --data named, absolute.
        start: what --from named, a shipped name or an absolute path; None without.
        teachers: what each --teacher named, likewise.
    """

    command: str
    data: str
    start: str | None
    teachers: tuple[str, ...] = ()


def run_record(
    recipe: Recipe,
    pack: Pack,
    name: str,
    device: torch.device,
    images: int,
    start: dict[str, Any] | None,
    teachers: list[dict[str, Any]] | None,
    command: str | None,
    processes: int,
) -> dict[str, Any]:
    """Return the record of a run that starts now on `images` training images; JSON-ready, without paths.

    `start` is the record of the weights it starts from, see Start, `teachers` those of Teachers.
    """
    return {
        "recipe": name,
        "command": command,
        "seed": recipe.seed,
        "from": start,
        **({"teachers": teachers} if teachers else {}),
        "commit": commit(),
        "date": now(),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint, "training_images": images},
        "device": device_name(device),
        "precision": precision_on(device, recipe.precision),
        "processes": processes,
        "threads": torch.get_num_threads(),
        "versions": versions("torch", "timm", "numpy", "pillow"),
    }


def device_name(device: torch.device) -> str:
    """Return what the maker calls it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()
