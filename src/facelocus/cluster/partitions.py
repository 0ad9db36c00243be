"""What lies at OUT: which photographs each partition is of, written down first, and the partitions that are done.

OUT/part-0000000.parquet           the rows of a partition, in the order of its photographs; there when it is whole
OUT/_facelocus/0000000.jsonl       its photographs, one a line
OUT/_facelocus/run.json            what the run is of; written last, so that with it the listing is whole

What reads a folder of Parquet files passes over names that begin with an underscore or a dot.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from facelocus.cluster.place import Place, is_address
from facelocus.errors import InputError, UsageError
from facelocus.photos.listing import Arguments
from facelocus.photos.tables import json_line

_LISTING = "_facelocus"
_RUN = f"{_LISTING}/run.json"


def photographs(arguments: Arguments) -> Iterator[str]:
    """Return the photographs that arguments name, lazily: absolute paths, or addresses, each once.

    Raises:
        UsageError: paths and addresses stand together, or an address lies within another.
        InputError: an argument does not exist or cannot be read, or there is no picture.
    """
    addresses = [argument.rstrip("/") for argument in arguments.given if is_address(argument)]
    if not addresses:
        # Actors have another working folder.
        return map(os.path.abspath, arguments.photographs())
    if len(addresses) < len(arguments.given):
        raise UsageError("paths and addresses cannot be named together: name file://PATH for a path")
    for one in addresses:
        if "::" in one:
            raise UsageError(f"{one}: an address within another cannot be read: unpack it first")
        if sum(f"{one}/".startswith(f"{other}/") for other in addresses) > 1:
            raise UsageError(f"{one}: is named twice, or lies within another address: name it once")
    return (name for address in addresses for name in Place(address).pictures())


def part(number: int) -> str:
    """Return the file name of a partition."""
    return f"part-{number:07}.parquet"


@dataclass(frozen=True)
class Partitions:
    """The listing at a place.

    Attributes:
        place: OUT.
        photographs: how many there are.
        size: photographs a partition; the last may have fewer.
    """

    place: Place
    photographs: int
    size: int

    @classmethod
    def listed(cls, place: Place, arguments: Arguments, about: dict[str, Any], size: int) -> Partitions:
        """Write the listing down, or take up that of the run that was stopped.

        Args:
            place: OUT.
            arguments: name the photographs; not looked for where a run is taken up.
            about: what the run is of, JSON-ready; name -> what a run that goes on has alike.
            size: photographs a partition.

        Raises:
            UsageError: what lies there is of another run, or something else.
            InputError: there is nothing to analyze, or what is named cannot be read.
            StorageError: the listing cannot be written.
        """
        about = json.loads(json_line(about | {"partition": size}))
        before = place.read(_RUN)
        if before is not None:
            run = json.loads(before)
            other = next((name for name in about if run["about"].get(name) != about[name]), None)
            if other is not None:
                raise UsageError(
                    f"{place.address}: was begun with other {other}: repeat that command to go on, or choose another "
                    "--out"
                )
            return cls(place, run["photographs"], size)
        there = [name for name in place.names() if name[0] not in "._"]
        if there:
            raise UsageError(f"{place.address}: holds {there[0]}, which is of no run: choose another --out")
        names, total = photographs(arguments), 0
        while listed := list(islice(names, size)):
            place.write(_listing(total // size), b"".join(map(json_line, listed)))
            total += len(listed)
        if not total:
            raise InputError(f"{', '.join(arguments.given[:3])}: no picture there: name a place that holds some")
        place.write(_RUN, json_line({"about": about, "photographs": total}))
        return cls(place, total, size)

    def __len__(self) -> int:
        return -(-self.photographs // self.size)

    def left(self) -> list[int]:
        """Return the numbers of the partitions that are not done."""
        there = set(self.place.names())
        return [number for number in range(len(self)) if part(number) not in there]

    def count(self, number: int) -> int:
        """Return how many photographs a partition has."""
        return min(self.size, self.photographs - number * self.size)

    def clear(self) -> None:
        """Remove what writing left that was killed; only once nothing is written any more."""
        for name in self.place.names():
            if name.startswith(".part-"):
                self.place.remove(name)


def names_of(place: Place, number: int) -> list[str]:
    """Return the photographs of a partition.

    Raises:
        InputError: the listing is not there.
    """
    content = place.read(_listing(number))
    if content is None:
        raise InputError(f"{place.address}: is not seen from every machine: choose an --out that all of them share")
    return [json.loads(line) for line in content.splitlines()]


def _listing(number: int) -> str:
    return f"{_LISTING}/{number:07}.jsonl"
