"""Search: how well it finds, how fast, and how far likeness is from identity; and its words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from documents import RESULTS
from facelocus.search.query import words_of
from facelocus.search.words import SYNONYMS

_SEARCH = RESULTS / "search"
QUALITY = _SEARCH / "quality.json"
SPEED = _SEARCH / "speed.json"
VERIFICATION = _SEARCH / "verification.json"

_WAYS = ("search", "yes or no", "not calibrated", "with dependence", "chance")


def words() -> str:
    """Return every attribute with what it may be called."""
    lines = ["| attribute | also called | its opposite |", "|---|---|---|"]
    for attribute, phrases in SYNONYMS.items():
        same = [phrase for phrase in phrases.split(", ") if not phrase.startswith("no ")]
        opposite = [phrase.removeprefix("no ") for phrase in phrases.split(", ") if phrase.startswith("no ")]
        lines.append(f"| {words_of(attribute)} | {', '.join(same)} | {', '.join(opposite)} |")
    return "\n".join(lines) + "\n"


def quality(result: Path = QUALITY) -> str:
    """Return precision and average precision by the number of terms, beside what else could be done."""
    found = json.loads(result.read_text(encoding="utf-8"))
    by_terms: dict[str, Any] = found["by number of terms"]
    counts = ", ".join(f"{rows['queries']:,} of {number}" for number, rows in by_terms.items())
    least = f"at least {found['least faces either way']}" if "least faces either way" in found else "a few"
    lines = [
        f"On {found['faces']:,} test faces of {found['people']:,} people ({found['data']}), all queries of one and two "
        f"terms and 200 of three, of those that {least} faces answer and {least} do not ({counts}), in percent: right "
        "among the best 20, and average precision.",
        "",
        "| | " + " | ".join(f"{number} {'term' if number == '1' else 'terms'}" for number in by_terms) + " |",
        "|---" * (1 + len(by_terms)) + "|",
    ]
    for way in _WAYS:
        cells = [
            f"{r[way]['precision of the best 20']:.1f}, {r[way]['average precision']:.1f}" for r in by_terms.values()
        ]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    lines += [
        "",
        "*Yes or no* counts how many terms reach the model's threshold; *not calibrated* multiplies the scores before "
        "calibration; *with dependence* adds, for every two attributes, how they go together beyond their "
        "probabilities, fitted to validation faces.",
    ]
    return "\n".join(lines) + "\n"


def speed(result: Path = SPEED) -> str:
    """Return how long queries take among many faces."""
    found = json.loads(result.read_text(encoding="utf-8"))
    slow, shell = (found.get(f"rounds of {which}", "fewer") for which in ("SQLite", "the whole command"))
    lines = [
        f"Among {found['faces']:,} faces on {found['cores']} cores ({found['device']}), milliseconds, medians of "
        f"{found['rounds']} rounds in turn, SQLite's of {slow}:",
        "",
        "| query | facelocus | DuckDB | SQLite |",
        "|---|---|---|---|",
    ]
    for text, row in found["queries"].items():
        times = " | ".join(f"{row[side][0]:.1f}" for side in ("facelocus, parsing included", "duckdb", "sqlite"))
        lines.append(f"| {text} | {times} |")
    whole, own = (found["memory, MB"][kind] for kind in ("at most", "without the pages of files"))
    lines += [
        "",
        f"The whole command takes {found['on the shell, whole command'][0] / 1e3:.2f} s, the median of "
        f"{shell} rounds. A process that has the library open takes {whole:.0f} MB, "
        f"{own:.0f} MB without the pages of files.",
    ]
    return "\n".join(lines) + "\n"


def verification(result: Path = VERIFICATION) -> str:
    """Return how far likeness goes in telling people apart."""
    found = json.loads(result.read_text(encoding="utf-8"))
    likeness = found["ways"]["likeness, as in search --like"]
    ((published, accuracy),) = found["published face recognition"].items()
    pairs, known = found["pairs"], f"{likeness['recognised at 1 % mistaken']:.0f} %"
    key = "different, of one tenth"
    few = f"the {pairs[key]:,}" if key in pairs else "those"
    return (
        f"LFW's people divided into tenths, and a threshold for each from the others: of {pairs['same']:,} pairs of "
        f"photographs of one person, and of {few} among {pairs['different']:,} pairs of two people that lie within one "
        f"tenth, likeness tells {likeness['accuracy']:.1f} % right, on average over both (standard error "
        f"{likeness['standard error']:.1f}; chance is 50). Over all these pairs, where one of different people in a "
        f"hundred is taken for one, {known} of the pairs of one person are recognised. Face recognition has "
        f"{accuracy} % on LFW's own pairs ({published.partition(',')[0]}): attributes are no identity, and likeness "
        "must not be used as one.\n"
    )
