"""A program that brings a library up to date and is killed at many moments: python killed_index.py SOURCE OUT KILLS

SOURCE holds model.onnx, photos/ and library/, which is of what these photographs were before. After every kill a reader
must see a library in which everything fits together and every picture has the scores of its content; in the end it is
what one uninterrupted run gives. See killed.py.
"""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path

from facelocus.library import index as index_module
from facelocus.library import thumbnails
from facelocus.model import Model
from facelocus.photos import folder as folder_module
from killed import kill_often
from libraries import described, index


def main() -> None:
    source, library, kills = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    index_module._BATCH, folder_module._CHUNK_OF_CROPS, thumbnails._TOGETHER = 4, 2, 2
    model = Model.load(source / "model.onnx", threads=1)
    of_content: dict[bytes, bytes] = {}

    def work() -> None:
        index(source / "photos", library, model)

    def look() -> dict[str, bytes]:
        return {
            path: digest + codes + (error or "").encode() for path, (digest, error, codes) in described(library).items()
        }

    def contents() -> dict[str, bytes]:
        found = look()
        of_content.update({digest: codes for digest, _, codes in described(library).values()})
        assert not list(library.glob("incoming*"))
        return found

    def begin_anew() -> None:
        shutil.rmtree(library)
        shutil.copytree(source / "library", library)

    def check(_: random.Random) -> None:
        of_content.update({digest: codes for digest, _, codes in described(source / "library").values()})
        for digest, _, codes in described(library).values():
            assert of_content[digest] == codes

    begin_anew()
    kill_often(work, library, contents, begin_anew, kills, 1, check)


if __name__ == "__main__":
    main()
