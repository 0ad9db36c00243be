"""Frames come back as they lie in the file, in whatever order and by whatever way they are read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facelocus.attributes import FRAME
from facelocus.data import frames as frames_module
from facelocus.data.frames import FRAME_BYTES, FrameFile, close_gaps, create_frames, frames_begin

COUNT = 12


@pytest.fixture
def content() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (COUNT, *FRAME), dtype=np.uint8)


@pytest.fixture
def path(content: np.ndarray, tmp_path: Path) -> Path:
    file = tmp_path / "faces.npy"
    create_frames(file, COUNT)
    with file.open("r+b") as out:
        out.seek(frames_begin(file))
        out.write(content.tobytes())
    return file


ORDERS = [[], [7], [0, 1, 2, 3], [11, 3, 4, 0], [5, 5, 6, 5, 2, 6], list(range(COUNT))[::-1]]


@pytest.mark.parametrize("numbers", ORDERS)
@pytest.mark.parametrize("way", ["positioned", "short reads", "small runs", "map"])
def test_frames_are_those_asked_for_in_a_new_array(
    path: Path, content: np.ndarray, numbers: list[int], way: str, monkeypatch: Any
) -> None:
    if way == "map":
        monkeypatch.setattr(frames_module, "_POSITIONED", False)
    if way == "small runs":
        monkeypatch.setattr(frames_module, "_RUN", 2)
    if way == "short reads":
        whole = os.preadv

        def short(descriptor: int, buffers: list[memoryview], position: int) -> int:
            return whole(descriptor, [buffers[0][: FRAME_BYTES // 3 + 1]], position)

        monkeypatch.setattr(os, "preadv", short)
    read = FrameFile(path, COUNT).read(np.array(numbers, dtype=np.int64))
    np.testing.assert_array_equal(read, content[numbers])
    assert read.flags.writeable and read.flags.c_contiguous and read.dtype == np.uint8
    read[:] = 0
    np.testing.assert_array_equal(FrameFile(path, COUNT).read(np.arange(COUNT)), content)


def test_neighbours_are_one_read(path: Path, monkeypatch: Any) -> None:
    reads, whole = [], os.preadv

    def counted(descriptor: int, buffers: list[memoryview], position: int) -> int:
        reads.append(len(buffers))
        return whole(descriptor, buffers, position)

    monkeypatch.setattr(os, "preadv", counted)
    FrameFile(path, COUNT).read(np.array([9, 4, 3, 8, 0]))
    assert reads == [1, 2, 2]


@pytest.mark.parametrize("number", [-1, COUNT])
def test_a_number_that_is_no_frame_is_refused(path: Path, number: int) -> None:
    with pytest.raises(IndexError):
        FrameFile(path, COUNT).read(np.array([0, number]))


def test_a_file_that_is_not_of_these_frames_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"\(12, 218, 178, 3\), not uint8 \(11, 218, 178, 3\)"):
        FrameFile(path, COUNT - 1)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(ValueError, match="lacks 1 bytes"):
        FrameFile(path, COUNT)


def test_a_file_shortened_while_it_is_open_is_an_error_not_a_crash(path: Path) -> None:
    file = FrameFile(path, COUNT)
    os.truncate(path, path.stat().st_size - 5 * FRAME_BYTES)
    with pytest.raises(OSError, match="shorter"):
        file.read(np.array([COUNT - 1]))


@pytest.mark.parametrize("seed", range(8))
def test_gaps_are_closed_by_the_last_frames(path: Path, content: np.ndarray, seed: int) -> None:
    there = np.random.default_rng(seed).random(COUNT) < (0.5 if seed else 2)
    there[3] = True
    for _ in range(2):  # the second time after a stop at the very end
        numbers = close_gaps(path, there)
        assert (numbers[~there] == -1).all()
        assert sorted(numbers[there]) == list(range(there.sum()))
        np.testing.assert_array_equal(np.load(path)[numbers[there]], content[there])
    assert path.stat().st_size == frames_begin(path) + there.sum() * FRAME_BYTES
