"""The server: what many clients get of it, and the browser alone beside Python."""

from __future__ import annotations

import json
from pathlib import Path

from documents import RESULTS

LOAD = RESULTS / "serve" / "load.json"
PAGE = RESULTS / "serve" / "page.json"
KILLS = RESULTS / "serve" / "kills.json"
BROWSER = RESULTS / "serve" / "browser.json"


def load(result: Path = LOAD) -> str:
    """Return what many clients at once saw."""
    found = json.loads(result.read_text(encoding="utf-8"))
    before, after = found["batch_pictures_per_second"]
    memory = found["memory_mb"]
    return (
        f"{found['clients']} clients on the same {found['workers']} cores for {found['seconds']} seconds, one file in "
        f"twenty broken ({found['device']}): {found['requests']:,} requests, {found['lost']} lost, "
        f"{found['pictures_per_second']:.0f} pictures a second; `facelocus analyze` of the same pictures, its start "
        f"left out, {before:.0f} before and {after:.0f} after. Half of the answers came within "
        f"{found['p50_seconds']:.1f} s, 99 of 100 within {found['p99_seconds']:.1f} s: {found['clients']} pictures "
        f"wait at any time. Memory of server and workers {memory['first_tenth']} MB in the second tenth of the time, "
        f"{memory['last_tenth']} MB in the last.\n"
    )


def page(result: Path = PAGE, killed: Path = KILLS) -> str:
    """Return how soon the page is there, and what a server that is killed leaves."""
    found, kills = (json.loads(path.read_text(encoding="utf-8")) for path in (result, killed))
    library = kills["library"]
    return (
        f"With a library of {found['faces']:,} faces ({found['device']}) the page is painted after "
        f"{found['first_paint'][0]} ms ({found['first_paint'][1]} to {found['first_paint'][2]}), and a search shows "
        f"its first pictures after {found['search_to_results'][0]} ms ({found['browser']}). Killed {kills['kills']} "
        f"times while {kills['clients']} clients sent crops or searched and its library grew ({kills['device']}), a "
        f"server left {library['as they were']} of {library['pictures before']} pictures as they were and "
        f"{library['indexed meanwhile']} new ones; a new server answered within "
        f"{kills['most seconds until a new server answers']:.0f} s.\n"
    )


def browser(result: Path = BROWSER) -> str:
    """Return how far the browser's answers are from Python's."""
    found = json.loads(result.read_text(encoding="utf-8"))
    apart, milliseconds = found["attribute_difference"], found["milliseconds"]
    return (
        f"On {found['pictures']} original photographs ({found['browser']}): {found['matched']} of {found['faces']} "
        f"faces found alike, {100 * found['faces_with_all_attributes_within_0.02']:.1f} % of them with all forty "
        f"attributes within 0.02 of Python's; mean difference {apart['mean']:.4f}, largest {apart['largest']:.3f}. "
        f"A photograph takes {milliseconds['browser']:.0f} ms, in Python on the same machine "
        f"{milliseconds['python']:.0f} ms.\n"
    )
