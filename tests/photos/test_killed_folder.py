"""A run over a folder that is killed, whenever, goes on and gives the same table and the same sidecars."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from faces import draw_face
from small_model import write_model


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forks")
@pytest.mark.parametrize(("kills", "workers", "name"), [(50, 1, "faces.parquet"), (3, 2, "faces.csv")])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    tmp_path: Path, kills: int, workers: int, name: str
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "out").mkdir()
    write_model(tmp_path / "model.onnx")
    for number in range(14):
        Image.fromarray(draw_face(number)).save(tmp_path / "photos" / f"{number:02}.jpg")
    for number in (2, 3, 7, 13):
        (tmp_path / "photos" / f"{number:02}.jpg").write_bytes(b"\xff\xd8\xff" * (number % 3))
    program = Path(__file__).parents[1] / "killed_folder.py"
    arguments = [sys.executable, program, tmp_path, tmp_path / "out" / name, str(kills), str(workers)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{kills} kills")
