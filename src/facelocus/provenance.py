"""What a number needs beside it to be believed: commit, versions, processor, date."""

from __future__ import annotations

import datetime
import platform
import subprocess
from pathlib import Path

#: Flag of /proc/cpuinfo -> its name, widest first: what decides how fast a network runs, and in which numbers.
_WIDEST = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16", "avx512f": "AVX-512", "avx2": "AVX2"}


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


def cpu_name(file: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name as the system gives it, with its widest instructions where Linux names them.

    Makers give one name to processors of which one takes half of the other's time.
    """
    try:
        first_core = file.read_text(encoding="utf-8").partition("\n\n")[0]
    except OSError:
        first_core = ""
    fields = (line.partition(":") for line in first_core.splitlines())
    said = {key.strip(): value.strip() for key, _, value in fields}
    name = said.get("model name") or platform.processor() or platform.machine()
    flags = said.get("flags", "").split()
    return next((f"{name} with {words}" for flag, words in _WIDEST.items() if flag in flags), name)


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of Python, facelocus and those of `packages` that are installed."""
    # Here, because it takes 25 ms and every start of the command loads this file.
    from importlib.metadata import PackageNotFoundError, version

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
