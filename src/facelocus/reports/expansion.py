"""The sheet of examples of an expanded Pack: faces and their distorted copies, side by side."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from facelocus.attributes import FRAME
from facelocus.data.pack import Pack, copied, copy_name
from facelocus.reports.figure import GREY, INK, save_figure

_FACES, _COPIES = 4, 11  # the most that are drawn
_WIDTH = 0.85  # inches, of a face


def draw_expansion(pack: Pack, file: Path) -> None:
    """Write a PNG with a row for each of the first training faces: as it is, then its distorted copies.

    Args:
        pack: made by facelocus.training.expand.
        file: the PNG.

    Raises:
        StorageError: the file cannot be written.
    """
    row_of = {pack.names[row]: row for row in pack.rows("train").tolist()}
    faces = list(islice((name for name in row_of if copied(name) == name), _FACES))
    copies = [number for number in range(1, _COPIES + 1) if copy_name(faces[0], number) in row_of]
    height = _WIDTH * FRAME[0] / FRAME[1]
    figure = Figure(figsize=(_WIDTH * (1 + len(copies)) + 0.3, height * len(faces) + 0.55), dpi=120)
    panels = figure.subplots(len(faces), 1 + len(copies), squeeze=False)
    for line, name in zip(panels, faces, strict=True):
        rows = [row_of[copy_name(name, number)] for number in (0, *copies)]
        for axes, frame in zip(line, pack.frames(np.array(rows)), strict=True):
            axes.imshow(frame, interpolation="antialiased")
            axes.axis("off")
    for axes, number in zip(panels[0], (0, *copies), strict=True):
        axes.set_title(f"#{number}" if number else "itself", fontsize=8, color=GREY if number else INK, pad=3)
    figure.suptitle("Training faces and their distorted copies", fontsize=10, color=INK)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.9, wspace=0.04, hspace=0.04)
    save_figure(figure, file)
