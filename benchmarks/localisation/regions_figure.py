"""The figure of the regions that masks are measured against.

    python benchmarks/localisation/regions_figure.py docs/regions.png

They are laid over a drawn head, so that no picture of anybody is in it.
"""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path

from facelocus.attributes import CELEBA
from facelocus.files import write_atomically
from facelocus.images.heatmaps import drawn_head, mask_grid
from facelocus.images.regions import region_maps


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the regions.")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    with BytesIO() as buffer:
        mask_grid(drawn_head(), region_maps(), CELEBA.regions, (214, 262)).save(buffer, "PNG")
        write_atomically(options.out, buffer.getvalue())


if __name__ == "__main__":
    main()
