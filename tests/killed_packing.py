"""A program that packs and is killed at many moments: python killed_packing.py SOURCE FOLDER KILLS WORKERS

Ends well when what is packed in the end is, byte for byte, what one uninterrupted packing gives: see killed.py.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

import facelocus.detection.photograph
from facelocus.data import Pack, packing, read_table
from killed import kill_often

assert facelocus.detection.photograph  # imported before forking


def main() -> None:
    source, folder, kills, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    packing._RECORD_EVERY, packing._CHUNK_OF_PHOTOGRAPHS = 0, 4
    table = dataclasses.replace(read_table(source), aligned=False)
    target = folder / "killed" / "pack"

    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in target.iterdir()}

    kill_often(
        lambda: Pack.build(table, target, workers), target, contents, lambda: shutil.rmtree(target), kills, workers
    )


if __name__ == "__main__":
    main()
