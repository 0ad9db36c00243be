"""A library whose writer is killed, whenever, is never half-visible, and the same command brings it to its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from shutil import copyfile

import pytest

from facelocus.model import Model
from libraries import draw, index
from small_model import write_model


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forks")
def test_killed_at_50_random_moments_it_is_before_or_after(tmp_path: Path) -> None:
    model = Model.load(write_model(tmp_path / "model.onnx"), threads=1)
    photos = tmp_path / "photos"
    for number in range(5):
        draw(photos / f"{number}.png", number)
    index(photos, tmp_path / "library", model)
    for number in range(5, 11):  # three batches: new, moved, copied, changed, removed and broken ones
        draw(photos / f"{number}.png", number)
    (photos / "0.png").rename(photos / "moved.png")
    copyfile(photos / "1.png", photos / "copy.png")
    draw(photos / "2.png", 99)
    (photos / "3.png").unlink()
    (photos / "bad.png").write_bytes(b"noise")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "library").mkdir()
    program = Path(__file__).parents[1] / "killed_index.py"
    arguments = [sys.executable, program, tmp_path, tmp_path / "out" / "library", "50"]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("50 kills")
