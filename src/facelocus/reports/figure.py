"""What all pictures of reports share: their ink, and being written whole."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from facelocus.files import write_atomically

INK, GREY, GRID = "#1b1f24", "#6a737d", "#e6e8eb"
#: Settings of matplotlib under which a figure is drawn.
STYLE: dict[Any, Any] = {"font.size": 10, "axes.edgecolor": GREY, "text.color": INK, "axes.labelcolor": INK}


def save_figure(figure: Figure, file: Path) -> None:
    """Write a figure as PNG that says nothing of when and by which version it was made: equal data give equal bytes.

    Raises:
        StorageError: the file cannot be written.
    """
    with io.BytesIO() as buffer:
        figure.savefig(buffer, format="png", metadata={"Software": None})
        write_atomically(file, buffer.getvalue())
