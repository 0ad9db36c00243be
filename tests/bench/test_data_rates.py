"""What measures the way of the data: the rows of a part, and what a step waits for."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from facelocus.data import Pack, read_table
from facelocus.training.world import World
from faces import write_celeba
from pack import rows_of
from pack_training import WatchedBatches


@pytest.fixture(scope="module")
def celeba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_celeba(tmp_path_factory.mktemp("source") / "celeba", 15)


@pytest.mark.parametrize(
    ("images", "rows", "wanted"), [(None, None, 15), (4, None, 4), (99, None, 15), (4, 10, 10), (None, 20, 20)]
)
def test_a_part_of_the_rows_and_their_repetition(
    celeba: Path, images: int | None, rows: int | None, wanted: int
) -> None:
    table = read_table(celeba)
    part = rows_of(table, images, rows)
    assert len(part) == wanted
    assert len(set(part.names)) == min(images or 15, 15, wanted)
    np.testing.assert_array_equal(part.labels[-1], table.labels[(wanted - 1) % min(images or 15, 15)])


def test_a_wait_ends_when_the_batch_is_there(celeba: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = Pack.build(read_table(celeba), tmp_path / "pack", workers=1)
    batches = WatchedBatches(pack, np.arange(15), 3, 0, torch.device("cpu"), World())
    read, calls = batches.frames, itertools.count(1)

    def slow(rows: np.ndarray) -> torch.Tensor:
        """Begin only when the batch is asked for, as batches are read ahead."""
        call = next(calls)
        while len(batches.asked) < call:
            time.sleep(0.001)
        time.sleep(0.05)
        return read(rows)

    monkeypatch.setattr(batches, "frames", slow)
    taken = [step for step, _, _ in batches.steps(0, 4)]
    assert taken == [0, 1, 2, 3]
    waits = np.array(batches.there) - np.array(batches.asked[:4])
    assert (waits > 0.02).all()
