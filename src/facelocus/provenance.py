"""What a number needs beside it to be believed: commit, versions, processor, date."""

from __future__ import annotations

import datetime
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def commit() -> str | None:
    """Return the commit of the checkout this package runs from, with "+changes" where its files differ; else None."""
    here = Path(__file__)

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(here.parent), *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        if git("ls-files", here.name) == "":
            return None
        changed = git("status", "--porcelain", "--untracked-files=no", ".")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def cpu_name() -> str:
    """Return the processor's name as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, facelocus and those of `packages` that are installed."""
    found = {"python": platform.python_version()}
    for package in ("facelocus", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def now() -> str:
    """Return the date and time in UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
