"""What has to be known to repeat a run: seed, commit, versions, data, device, date."""

from __future__ import annotations

import datetime
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from facelocus.data.pack import Pack
from facelocus.training.recipe import Recipe


def run_record(recipe: Recipe, pack: Pack, name: str, device: torch.device, images: int) -> dict[str, Any]:
    """Return the record of a run that starts now on `images` training images; JSON-ready, without paths."""
    return {
        "recipe": name,
        "seed": recipe.seed,
        "commit": commit(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint, "training_images": images},
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }


def commit() -> str | None:
    """Return the commit of the checkout this package runs from, with "+changes" where files differ; else None."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(here), *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        if git("ls-files", Path(__file__).name) == "":
            return None
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if git("status", "--porcelain", "-uno") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def device_name(device: torch.device) -> str:
    """Return the card's or the processor's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of Python and of what decides a run's numbers."""
    found = {"python": platform.python_version()}
    for package in ("facelocus", "torch", "timm", "numpy", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
