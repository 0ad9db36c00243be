"""A program that analyzes a folder and is killed at many moments: python killed_folder.py SOURCE OUT KILLS WORKERS

SOURCE holds photos/ and model.onnx. Some kills lose the last bytes that were written, as in a power cut. Ends well when
the table and the sidecars are, byte for byte, what one uninterrupted run gives: see killed.py.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

import pyarrow.parquet

from facelocus.errors import UsageError
from facelocus.model import Model
from facelocus.photos import folder as folder_module
from facelocus.photos.folder import analyze_folder
from facelocus.photos.journal import partial
from facelocus.photos.listing import Arguments
from facelocus.photos.request import Options, Request
from killed import kill_often

assert pyarrow.parquet  # imported before forking


def main() -> None:
    source, out, kills, workers = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    folder_module._CHUNK_OF_CROPS = 3
    arguments = Arguments([str(source / "photos")])
    options = Options(aligned=True, sidecars=True)
    request = Request.of(Model.load(source / "model.onnx", threads=1), options)

    def work() -> None:
        try:
            analyze_folder(arguments, out, request, workers)
        except UsageError as error:
            assert "is there already" in str(error), error

    def contents() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in [out, *(source / "photos").iterdir()]}

    def begin_anew() -> None:
        shutil.rmtree(partial(out), ignore_errors=True)
        for path in [out, *(source / "photos").glob("*.xmp")]:
            path.unlink()

    def lose(chance: random.Random) -> None:
        if chance.random() < 0.9:  # mostly, as the start of a process of its own takes longer than all of the work
            (partial(out) / "working").unlink(missing_ok=True)
        rows = partial(out) / "rows.jsonl"
        if rows.exists() and not out.exists() and chance.random() < 0.5:
            os.truncate(rows, chance.randint(0, rows.stat().st_size))

    kill_often(work, out, contents, begin_anew, kills, workers, lose)


if __name__ == "__main__":
    main()
