"""What is to be done next to a library: photographs that are new, moved, copied or gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facelocus.library.changes import Stamped, known


@dataclass(frozen=True)
class Batch:
    """What is to be done next.

    Attributes:
        new: to be analyzed.
        moved: each with the id of the picture that it is.
        copies: each with the id of the picture whose content it has.
        removed: ids.
    """

    new: list[Stamped]
    moved: list[tuple[Stamped, int]]
    copies: list[tuple[Stamped, int]]
    removed: list[int]

    @classmethod
    def of(cls, store: sqlite3.Connection, photos: Sequence[Stamped]) -> Batch:
        """Return what is to be done with photographs that are new or changed."""
        batch = cls([], [], [], [])
        taken: set[int] = set()
        for photo in photos:
            like = known(store, photo) if photo.digest else None
            if like is None:
                batch.new.append(photo)
            elif like[1] and like[0] not in taken:
                taken.add(like[0])
                batch.moved.append((photo, like[0]))
            else:
                batch.copies.append((photo, like[0]))
        return batch

    @classmethod
    def removing(cls, pictures: list[int]) -> Batch:
        """Return a batch that drops pictures."""
        return cls([], [], [], pictures)

    def to_json(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return {
            "new": [_to_json(photo) for photo in self.new],
            "moved": [[_to_json(photo), picture] for photo, picture in self.moved],
            "copies": [[_to_json(photo), picture] for photo, picture in self.copies],
            "removed": self.removed,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Batch:
        """Return what to_json made."""
        moved, copies = ([(_from_json(photo), picture) for photo, picture in value[key]] for key in ("moved", "copies"))
        return cls([_from_json(photo) for photo in value["new"]], moved, copies, value["removed"])


def _to_json(photo: Stamped) -> list[Any]:
    return [str(photo.path), photo.size, photo.modified, photo.digest.hex()]


def _from_json(value: list[Any]) -> Stamped:
    path, size, modified, digest = value
    return Stamped(Path(path), size, modified, bytes.fromhex(digest))
