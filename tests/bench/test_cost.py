"""Cost against work: exponents, memory of a process's own, and the short forms of what measures them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from cost import files_to_scores, images, regions
from faces import write_celeba
from growth import alone, draw_cost, exponent, lines


def ones(count: int) -> float:
    return float(np.ones(count).sum())


def test_an_exponent_is_that_of_the_power() -> None:
    assert exponent([(work, 3 * work**0.7) for work in (1, 10, 100)]) == 0.7
    assert str(exponent([(1, 5), (2, 5), (4, 5)])) == "0.0"


def test_costs_that_do_not_grow_hide_at_the_start_not_at_the_end() -> None:
    (line,) = lines("seconds", {"a": {4: 4.0, 1: 4.0, 16: 16.0, 64: 64.0}})
    assert line["points"] == [[1, 4.0], [4, 4.0], [16, 16.0], [64, 64.0]]
    assert line["exponent"] < line["exponent_at_the_end"] == 1.0


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads Linux's accounts of a process")
def test_memory_is_what_the_work_adds() -> None:
    before = np.ones(30_000_000)
    made, added = alone(ones, 10_000_000)
    assert made == 1e7
    assert 7.9e7 <= added < 1e8 < before.nbytes


def test_a_picture_has_every_line(tmp_path: Path) -> None:
    measured = {f"line {number}": {1: 1.0 + number, 2: 2.0, 4: 4.0} for number in range(3)}
    record = {"axis": "regions", "about": "drawn", "device_name": "a processor", "cores": 2}
    record["lines"] = lines("seconds", measured) + lines("bytes", {"line 0": {1: 1e8, 4: 2e8}})
    draw_cost(record, tmp_path / "cost.png")
    assert (tmp_path / "cost.png").stat().st_size > 10_000


def test_both_sides_of_any_number_of_regions_compute_the_same() -> None:
    assert {len(regions.divided(count).regions) for count in regions.REGIONS} == set(regions.REGIONS)
    frames = 255 * torch.rand(2, 3, 218, 178, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        ours, plain = (side.eval()(frames) for side in regions.pair(3).values())
    torch.testing.assert_close(ours, plain, atol=1e-3, rtol=0)


def test_rows_share_pictures_and_are_all_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "BATCH", 4)
    monkeypatch.setattr(images, "AGAIN", 1)
    celeba, pack = write_celeba(tmp_path / "celeba", 15), tmp_path / "pack"
    assert images.packing(celeba, pack, 6, 20) > 0
    assert len(json.loads((pack / "names.json").read_text())) == 6
    assert len(np.load(pack / "frame_of.npy")) == 20
    assert min(work(pack) for work in (images.reading, images.batches, images.scoring)) > 0


def test_files_are_written_as_they_are_and_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    celeba = write_celeba(tmp_path / "celeba", 15)
    folder = files_to_scores.written(celeba, tmp_path / "files", 17)
    (first, *_, last) = sorted(folder.iterdir())
    source = celeba / "img_align_celeba"
    assert first.read_bytes() == (source / "000001.jpg").read_bytes()
    assert last.read_bytes() == (source / "000002.jpg").read_bytes()
    scored: list[int] = []
    monkeypatch.setattr(
        files_to_scores, "analyze_folder", lambda found, *_: scored.append(len(list(found.photographs())))
    )
    files_to_scores.folder(folder)
    assert scored == [17]
