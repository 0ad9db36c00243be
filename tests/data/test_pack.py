"""A Pack holds the decoded images byte for byte and refuses what it is not."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facelocus.data import FaceTable, Pack, open_pack, packing, read_table
from facelocus.data import pack as pack_module
from facelocus.errors import DataError, InputError, StorageError, UsageError
from facelocus.images.read import read_image
from faces import draw_face, write_celeba, zip_celeba
from layouts import rows_of
from orientations import stored


@pytest.fixture(scope="module")
def celeba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_celeba(tmp_path_factory.mktemp("source") / "celeba", 15)


@pytest.fixture(scope="module")
def table(celeba: Path) -> FaceTable:
    return read_table(celeba)


@pytest.fixture
def packed(table: FaceTable, tmp_path: Path) -> Path:
    return Pack.build(table, tmp_path / "pack").folder


def decoded(table: FaceTable) -> np.ndarray:
    return np.stack([Image.open(io.BytesIO(table.images.read(name))).convert("RGB") for name in table.names])


def faces(pack: Pack) -> np.ndarray:
    return pack.frames(np.arange(len(pack)))


def only_file(folder: Path) -> str:
    (found,) = folder.iterdir()
    return found.name


def test_pack_equals_the_decoded_images_and_the_table(table: FaceTable, tmp_path: Path) -> None:
    pack = Pack.build(table, tmp_path / "pack")
    assert len(pack) == 15
    np.testing.assert_array_equal(faces(pack), decoded(table))
    np.testing.assert_array_equal(pack.labels, table.labels)
    np.testing.assert_array_equal(pack.splits, table.splits)
    assert pack.people is not None
    np.testing.assert_array_equal(pack.people, table.people)
    assert pack.names == table.names
    assert pack.attributes == table.attributes
    assert (pack.fingerprint, pack.description) == (table.fingerprint, table.description)
    assert only_file(tmp_path) == "pack"


def test_several_processes_write_every_row_in_its_place(tmp_path: Path) -> None:
    folder = write_celeba(tmp_path / "celeba", 150)
    table = read_table(zip_celeba(folder, tmp_path / "celeba.zip"))
    pack = Pack.build(table, tmp_path / "pack", workers=2)
    np.testing.assert_array_equal(faces(pack), decoded(read_table(folder)))


@pytest.mark.parametrize(
    ("form", "mode"),
    [("PNG", "RGB"), ("PNG", "L"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("TIFF", "RGB"), ("TIFF", "CMYK")],
)
def test_images_are_opened_by_content(celeba: Path, tmp_path: Path, form: str, mode: str) -> None:
    folder = shutil.copytree(celeba, tmp_path / "celeba")
    image = Image.fromarray(draw_face(99)).convert(mode)
    image.save(folder / "img_align_celeba" / "000002.jpg", form, lossless=True)
    pack = Pack.build(read_table(folder), tmp_path / "pack")
    np.testing.assert_array_equal(faces(pack)[1], np.asarray(image.convert("RGB")))


def test_unknown_labels_and_unknown_people_survive(table: FaceTable, tmp_path: Path) -> None:
    labels = table.labels.copy()
    labels[3, 7] = -1
    pack = Pack.build(dataclasses.replace(table, labels=labels, people=None), tmp_path / "pack")
    np.testing.assert_array_equal(pack.labels, labels)
    assert pack.people is None


def test_rows_are_those_of_the_split_in_order_without_the_excluded(packed: Path) -> None:
    pack = Pack.open(packed)
    assert pack.rows("train").tolist() == [0, 1, 2, 6, 7, 8, 12, 13, 14]
    assert pack.rows("validation").tolist() == [3, 4, 5]
    assert pack.rows("test").dtype == np.int64
    excluded = {"000002.jpg", "000013.jpg", "000004.jpg", "elsewhere.jpg"}
    assert pack.rows("train", exclude=excluded).tolist() == [0, 2, 6, 7, 8, 13, 14]
    with pytest.raises(UsageError, match="split 'val' is not known; choose one of train, validation, test"):
        pack.rows("val")


def test_a_pack_travels_to_another_process_as_its_folder(packed: Path) -> None:
    content = pickle.dumps(Pack.open(packed))
    assert len(content) < 1000
    np.testing.assert_array_equal(faces(pickle.loads(content)), faces(Pack.open(packed)))


def test_a_pack_of_the_same_source_is_reused(table: FaceTable, packed: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(pack_module, "write_pack", None)
    assert Pack.build(table, packed).names == table.names


def test_a_pack_of_another_or_changed_source_is_refused(table: FaceTable, packed: Path) -> None:
    changed = dataclasses.replace(table, labels=1 - table.labels)
    with pytest.raises(DataError, match=r"pack is a Pack of another or a changed source \(official CelebA, 15"):
        Pack.build(changed, packed)


def test_a_folder_of_something_else_is_not_written_to(table: FaceTable, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(DataError, match="mine exists and is not a Pack"):
        Pack.build(table, tmp_path / "mine")
    assert only_file(tmp_path / "mine") == "thesis.txt"


def test_the_folder_one_works_in_is_like_any_other(
    table: FaceTable, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(packed)
    assert Pack.build(table, Path()).names == table.names
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"^{tmp_path} exists and is not a Pack"):
        Pack.build(table, Path())


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def set_format(folder: Path, value: int) -> None:
    about = json.loads((folder / "pack.json").read_text())
    (folder / "pack.json").write_text(json.dumps(about | {"format": value}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: cut(folder / "faces.npy"), "incomplete Pack"),
        (lambda folder: cut(folder / "labels.npy"), "incomplete Pack"),
        (lambda folder: (folder / "people.npy").unlink(), "incomplete Pack .*people.npy"),
        (lambda folder: (folder / "names.json").write_text("[]"), "incomplete Pack .*holds 0 names, not 15"),
        (lambda folder: np.save(folder / "frame_of.npy", np.full(15, 15)), "incomplete Pack .*other than 15 frames"),
        (lambda folder: (folder / "pack.json").write_text("{"), "incomplete Pack"),
        (lambda folder: np.save(folder / "splits.npy", np.zeros(4, np.int8)), r"incomplete Pack .*\(15,\)"),
        (lambda folder: set_format(folder, 0), "a Pack of format 0, this version reads format 2"),
        (lambda folder: (folder / "pack.json").unlink(), "is not a Pack"),
    ],
)
def test_damaged_or_stale_packs_are_refused_in_one_line(packed: Path, damage: Any, message: str) -> None:
    damage(packed)
    with pytest.raises(DataError, match=message) as refused:
        Pack.open(packed)
    assert str(packed) in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="does not exist"):
        Pack.open(packed / "nowhere")


def spoil(celeba: Path, tmp_path: Path, content: bytes) -> FaceTable:
    folder = shutil.copytree(celeba, tmp_path / "celeba")
    (folder / "img_align_celeba" / "000008.jpg").write_bytes(content)
    return read_table(folder)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def as_png(image: np.ndarray) -> bytes:
    return saved(Image.fromarray(image), "PNG")


def held(orientation: int, form: str) -> bytes:
    picture, exif = stored(Image.fromarray(draw_face(3)), orientation)
    return saved(picture, form, exif=exif)


def odd(kind: str) -> bytes:
    face = draw_face(3)
    if kind == "alpha":
        return as_png(np.dstack([face, face[:, :, 0]]))
    if kind == "16 bit":
        return as_png(face[:, :, 0].astype(np.uint16) * 200)
    return saved(Image.fromarray(face), "JPEG", progressive=True)


@pytest.mark.parametrize(
    "content",
    [
        *(pytest.param(held(turned, form), id=f"{form} {turned}") for turned in (3, 6) for form in ("JPEG", "PNG")),
        *(pytest.param(odd(kind), id=kind) for kind in ("alpha", "16 bit", "progressive")),
    ],
)
def test_a_frame_holds_the_pixels_that_analysis_sees(celeba: Path, tmp_path: Path, content: bytes) -> None:
    pack = Pack.build(spoil(celeba, tmp_path, content), tmp_path / "pack")
    np.testing.assert_array_equal(faces(pack)[7], read_image(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "000008.jpg is empty: copy or export it again"),
        (b"not an image", "000008.jpg is not a picture that can be read: convert it"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 178 218\n", "000008.jpg is not a picture that can be read"),
        (as_png(draw_face(0))[:20_000], "000008.jpg is damaged or incomplete"),
        (saved(Image.fromarray(draw_face(0)), "JPEG")[:2_000], "000008.jpg is damaged or incomplete"),
        (as_png(draw_face(0)[:200]), "000008.jpg is 178 x 200 pixels, an aligned face is 178 x 218"),
    ],
)
def test_an_unusable_image_is_named_with_the_way_to_find_all(
    celeba: Path, tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message + ".*; `facelocus data check DATA` lists all") as refused:
        Pack.build(spoil(celeba, tmp_path, content), tmp_path / "pack")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "pack").exists()


def test_an_unusable_image_is_named_by_a_worker_process_too(tmp_path: Path) -> None:
    folder = write_celeba(tmp_path / "celeba", 70)
    (folder / "img_align_celeba" / "000070.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"000070.jpg is empty"):
        Pack.build(read_table(folder), tmp_path / "pack", workers=2)
    assert not (tmp_path / "pack").exists()


def refuse(number: int) -> Any:
    def call(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return call


def test_a_full_disk_is_one_line_and_leaves_nothing(table: FaceTable, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(os, "posix_fallocate", refuse(errno.ENOSPC), raising=False)
    with pytest.raises(StorageError, match=r"pack needs 1,\d{3},\d{3} bytes and [\d,]+ are free; make room"):
        Pack.build(table, tmp_path / "packs" / "pack")
    assert not list((tmp_path / "packs").iterdir())


def test_a_disk_too_small_is_refused_before_decoding(table: FaceTable, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    monkeypatch.setattr(packing, "create_frames", None)
    with pytest.raises(StorageError, match="and 1 are free"):
        Pack.build(table, tmp_path / "packs" / "pack")
    assert not list((tmp_path / "packs").iterdir())


def test_a_place_that_cannot_be_written_is_one_line(table: FaceTable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        Pack.build(table, tmp_path / "file" / "pack")


def test_a_file_system_that_cannot_reserve_still_packs(table: FaceTable, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(os, "posix_fallocate", refuse(errno.EOPNOTSUPP), raising=False)
    np.testing.assert_array_equal(faces(Pack.build(table, tmp_path / "pack")), decoded(table))


def test_open_pack_packs_once_says_where_and_opens_again(celeba: Path, tmp_path: Path, capsys: Any) -> None:
    pack = open_pack(celeba, tmp_path / "packs")
    said = capsys.readouterr().err.splitlines()
    assert pack.folder == tmp_path / "packs" / pack.fingerprint[:16]
    assert said == [f"packing official CelebA, 15 images, split by person into {pack.folder} (0.0 GB, once)"]
    assert open_pack(celeba, tmp_path / "packs").fingerprint == pack.fingerprint
    assert open_pack(pack.folder).fingerprint == pack.fingerprint
    assert capsys.readouterr().err == ""


def test_rows_that_name_the_same_picture_share_its_frame(table: FaceTable, tmp_path: Path) -> None:
    rows = np.array([4, 0, 4, 2, 0, 4])
    repeated = rows_of(table, rows)
    pack = Pack.build(repeated, tmp_path / "pack")
    assert np.load(pack.folder / "faces.npy", mmap_mode="r").shape[0] == 3
    assert pack.names == repeated.names
    np.testing.assert_array_equal(faces(pack), decoded(table)[rows])
    np.testing.assert_array_equal(pack.labels, repeated.labels)


def test_open_pack_packs_a_changed_source_anew(celeba: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(celeba, tmp_path / "celeba")
    before = open_pack(folder, tmp_path / "packs")
    Image.fromarray(draw_face(7)).save(folder / "img_align_celeba" / "000001.jpg", quality=50)
    after = open_pack(folder, tmp_path / "packs")
    assert after.folder != before.folder
    assert not np.array_equal(faces(after)[0], faces(before)[0])


def test_packs_go_to_the_cache_folder_by_default(celeba: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("FACELOCUS_CACHE", str(tmp_path / "cache"))
    assert open_pack(celeba).folder.parent == tmp_path / "cache" / "packs"
    monkeypatch.delenv("FACELOCUS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert open_pack(celeba).folder.parent == tmp_path / "xdg" / "facelocus" / "packs"
