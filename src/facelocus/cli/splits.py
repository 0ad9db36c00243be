"""The split that a user names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facelocus.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from facelocus.data import Pack


SplitName = Annotated[str, typer.Option(help="train, validation or test.")]


def open_split(data: Path, split: str) -> tuple[Pack, npt.NDArray[np.int64]]:
    """Return labelled faces and the rows of one of their splits.

    Raises:
        UsageError: there is no such split.
        DataError: it has no face, or the faces cannot be read.
    """
    from facelocus.data import SPLITS, open_pack

    if split not in SPLITS:
        raise UsageError(f"--split {split!r} is not known: choose one of {', '.join(SPLITS)}")
    pack = open_pack(data)
    rows = pack.rows(split)
    if not len(rows):
        raise DataError(f"{data}: has no face in the {split} split: choose another --split")
    return pack, rows
