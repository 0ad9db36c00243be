"""Of photographs a Pack holds the labelled face, aligned; those without a face are left out and named."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facelocus.data import FaceTable, Pack, read_table
from facelocus.detection.detect import Detector
from facelocus.errors import DataError
from facelocus.images.align import align
from faces import draw_face, write_celeba

Tables = Callable[[dict[int, Any]], FaceTable]


@pytest.fixture
def photographs(tmp_path: Path) -> Tables:
    """Six drawn faces in the frame's size, some exchanged for other pictures, read as photographs."""

    def table(exchanged: dict[int, Any]) -> FaceTable:
        folder = write_celeba(tmp_path / "celeba", 6)
        for row, picture in exchanged.items():
            file = folder / "img_align_celeba" / f"{row + 1:06d}.jpg"
            if isinstance(picture, bytes):
                file.write_bytes(picture)
            else:
                Image.fromarray(picture).save(file, "PNG")
        return dataclasses.replace(read_table(folder), aligned=False)

    return table


EMPTY = np.full((60, 90, 3), 120, dtype=np.uint8)


def test_a_photograph_becomes_its_aligned_face_and_a_frame_stays(
    photographs: Tables, tmp_path: Path, portrait: np.ndarray, detector: Detector
) -> None:
    pack = Pack.build(photographs({1: portrait, 2: draw_face(3)}), tmp_path / "pack")
    (face,) = detector.detect(portrait)
    first, second, third = pack.frames(np.arange(3))
    np.testing.assert_array_equal(second, align(portrait, face.landmarks))
    np.testing.assert_array_equal(third, draw_face(3))
    np.testing.assert_array_equal(first, Image.open(tmp_path / "celeba" / "img_align_celeba" / "000001.jpg"))


def test_of_two_faces_the_one_in_the_middle_is_taken(
    photographs: Tables, tmp_path: Path, portrait: np.ndarray, detector: Detector
) -> None:
    small = np.array(Image.fromarray(portrait).resize((portrait.shape[1] // 2, portrait.shape[0] // 2)))
    sheet = np.zeros((portrait.shape[0], portrait.shape[1] * 3, 3), dtype=np.uint8)
    sheet[:, : portrait.shape[1]] = portrait
    left, top = (sheet.shape[1] - small.shape[1]) // 2, (sheet.shape[0] - small.shape[0]) // 2
    sheet[top : top + small.shape[0], left : left + small.shape[1]] = small
    smaller = detector.detect(sheet)[1]
    pack = Pack.build(photographs({0: sheet}), tmp_path / "pack")
    np.testing.assert_array_equal(pack.frames(np.arange(1))[0], align(sheet, smaller.landmarks))


def test_rows_of_photographs_without_a_face_are_left_out_and_named(
    photographs: Tables, tmp_path: Path, capsys: Any
) -> None:
    table = photographs({1: EMPTY, 4: EMPTY})
    pack = Pack.build(table, tmp_path / "pack")
    kept = [0, 2, 3, 5]
    assert pack.names == tuple(table.names[row] for row in kept)
    assert pack.people is not None and table.people is not None
    np.testing.assert_array_equal(pack.labels, table.labels[kept])
    np.testing.assert_array_equal(pack.splits, table.splits[kept])
    np.testing.assert_array_equal(pack.people, table.people[kept])
    pictures = [Image.open(table.images.where(name)) for name in pack.names]
    np.testing.assert_array_equal(pack.frames(np.arange(4)), np.stack([np.asarray(picture) for picture in pictures]))
    assert json.loads((tmp_path / "pack" / "left_out.json").read_text()) == ["000002.jpg", "000005.jpg"]
    assert pack.description == f"{table.description}, 2 without a face left out"
    assert capsys.readouterr().err == (
        "no face is found in 2 of 6 photographs; their rows are left out, "
        f"{tmp_path / 'pack' / 'left_out.json'} names them\n"
    )


def test_photographs_that_all_lack_a_face_are_refused_and_leave_nothing(photographs: Tables, tmp_path: Path) -> None:
    table = photographs(dict.fromkeys(range(6), EMPTY))
    with pytest.raises(DataError, match=table.description + ": no face is found in any of them; check what they show"):
        Pack.build(table, tmp_path / "packs" / "pack")
    assert not list((tmp_path / "packs").iterdir())


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n cut short"])
def test_a_damaged_photograph_is_named_in_one_line(photographs: Tables, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match=r"000003.jpg is .*; `facelocus data check DATA` lists all") as refused:
        Pack.build(photographs({2: content}), tmp_path / "pack")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "pack").exists()


def test_an_aligned_table_refuses_a_photograph(photographs: Tables, tmp_path: Path) -> None:
    table = dataclasses.replace(photographs({2: EMPTY}), aligned=True)
    with pytest.raises(DataError, match=r"000003.jpg is 90 x 60 pixels, an aligned face is 178 x 218"):
        Pack.build(table, tmp_path / "pack")
