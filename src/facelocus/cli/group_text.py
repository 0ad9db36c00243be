"""What `facelocus evaluate --by` takes and prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from facelocus.errors import UsageError

if TYPE_CHECKING:
    from facelocus.attributes import AttributeSet

_MEANS = ("mean_accuracy", "mean_balanced_accuracy")


def groupings(by: str, attributes: AttributeSet) -> list[tuple[str, ...]]:
    """Return what faces are to be grouped by: "Male,Young,Male+Young" is two attributes and a pair.

    Raises:
        UsageError: the data have no such attribute, or it is no attribute and no pair.
    """
    found = []
    for words in by.split(","):
        names = tuple(name.strip() for name in words.split("+"))
        for name in names:
            if name not in attributes.names:
                raise UsageError(f"--by {name!r}: the data have no such attribute: name theirs, as Male,Male+Young")
        if len(set(names)) != len(names) or len(names) > 2:
            raise UsageError(f"--by {words.strip()!r}: name one attribute, or two different ones joined by +")
        found.append(names)
    return found


def print_groups(groups: Mapping[str, Any], over: str) -> None:
    """Print each grouping: its groups, the gap between two of them, and the attributes in which it is widest."""
    print(f"\nby group, percent, the widest gap in balanced accuracy first; in brackets 95 % of resampled {over}\n")
    print(f"{'':40}{'faces':>8}{'people':>8}{'accuracy':>25}{'balanced':>25}")
    for grouping in groups.values():
        gap = grouping["gap"]
        signs = {} if gap is None else dict(zip(gap["between"], "+-", strict=True))
        for name, group in grouping["groups"].items():
            people = "-" if group["people"] is None else f"{group['people']:,}"
            print(f"{signs.get(name, ' ')} {name:38}{group['images']:>8,}{people:>8}{_means(group)}")
        if gap is None:
            print("  too few faces to compare\n")
            continue
        print(f"  {'gap, + minus -':54}{_means(gap)}")
        for its in grouping["widest"]:
            first, second = (f"{its[group]:.1f}" for group in gap["between"])
            said = f"{its['attribute']}, {first} and {second}"
            print(f"    {said:77}{_cell(its['gap'], its['interval'])}")
        print()


def _means(scores: Mapping[str, Any]) -> str:
    return "".join(_cell(scores[mean], scores["intervals"][mean]) for mean in _MEANS)


def _cell(value: float | None, bounds: list[float | None]) -> str:
    low, high = bounds
    if value is None or low is None or high is None:
        return f"{'-':>25}"
    return f"{value:>8.2f}{f'[{low:.2f}, {high:.2f}]':>17}"
