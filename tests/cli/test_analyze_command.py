"""`facelocus analyze`: what is printed, what is written, what a bad picture does."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from facelocus.cli.analyze import analyze
from facelocus.errors import ModelFileError, StorageError
from faces import draw_face
from small_model import write_model

_app = typer.Typer()
_app.command()(analyze)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    write_model(folder / "m.onnx")
    Image.fromarray(np.full((80, 80, 3), 200, np.uint8)).save(folder / "plain.png")
    Image.fromarray(draw_face(0)).save(folder / "crop.png")
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff nothing")
    return folder


@pytest.fixture(scope="module")
def portrait(folder: Path) -> Path:
    data = Path(pytest.importorskip("matplotlib").get_data_path())
    return Path(copyfile(data / "sample_data" / "grace_hopper.jpg", folder / "portrait.jpg"))


def _run(folder: Path, *arguments: object) -> Result:
    return CliRunner().invoke(_app, [*map(str, arguments), "--model", str(folder / "m.onnx")])


def test_the_text_lists_attributes_by_region_and_stars_those_above_their_threshold(
    folder: Path, portrait: Path
) -> None:
    result = _run(folder, portrait)
    assert result.exit_code == 0
    first, face, *rest, legend = result.stdout.splitlines()
    assert first == f"{portrait}: 1 face"
    assert face.startswith("  face 1: box ")
    assert legend.startswith("* as probable as it takes")
    assert [line.split()[0] for line in rest] == ["left", "right"]
    (entry,) = json.loads(_run(folder, portrait, "--json").stdout)
    for name, value in entry["faces"][0]["attributes"].items():
        line = next(line for line in rest if name.replace("_", " ") in line)
        assert f"{'*' if value >= 0.5 else ' '} {name.replace('_', ' '):20}{value:4.0%}" in line


def test_a_photo_without_a_face_says_so_and_is_no_failure(folder: Path) -> None:
    result = _run(folder, folder / "plain.png")
    assert (result.exit_code, result.stdout) == (0, f"{folder}/plain.png: no face found\n")
    assert json.loads(_run(folder, folder / "plain.png", "--json").stdout) == [
        {"path": f"{folder}/plain.png", "faces": []}
    ]


def test_a_bad_picture_is_one_line_on_stderr_and_the_others_go_on(folder: Path) -> None:
    photos = [folder / "bad.jpg", folder / "crop.png", folder / "none.jpg"]
    result = _run(folder, *photos, "--aligned")
    assert result.exit_code == 1
    assert f"{folder}/crop.png: 1 face" in result.stdout
    assert [line.split()[1] for line in result.stderr.splitlines()] == [str(photos[0]), str(photos[2])]
    entries = json.loads(_run(folder, *photos, "--aligned", "--json").stdout)
    assert [entry["path"] for entry in entries] == [str(photo) for photo in photos]
    assert [set(entry) - {"path"} for entry in entries] == [{"error"}, {"faces"}, {"error"}]
    assert entries[0]["error"]["type"] == "ImageError"


def test_a_missing_model_is_refused_before_any_photo(folder: Path) -> None:
    result = CliRunner().invoke(_app, [str(folder / "crop.png"), "--model", str(folder / "none.onnx")])
    assert isinstance(result.exception, ModelFileError)
    assert result.stdout == ""


def test_drawings_have_the_photos_name_and_nothing_else_is_left(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "deep" / "out"
    assert _run(folder, folder / "crop.png", folder / "plain.png", "--aligned", "--draw", target).exit_code == 0
    assert sorted(path.name for path in target.iterdir()) == ["crop.facelocus.png", "plain.facelocus.png"]
    with Image.open(target / "crop.facelocus.png") as drawing:
        assert drawing.width > 1000
        assert str(folder) not in str(drawing.info), "a drawing does not tell where its photo lies"


def test_a_drawing_is_replaced_by_its_own_photo_only(folder: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        (tmp_path / name).mkdir()
        Image.fromarray(draw_face(number)).save(tmp_path / name / "x.png")
    target = tmp_path / "out"
    names = ["x-2.facelocus.png", "x.facelocus.png"]
    _run(folder, tmp_path / "a" / "x.png", tmp_path / "b" / "x.png", "--aligned", "--draw", target)
    assert sorted(path.name for path in target.iterdir()) == names
    before = {name: (target / name).read_bytes() for name in names}
    assert before[names[0]] != before[names[1]]
    for photo in ("b", "a"):
        _run(folder, tmp_path / photo / "x.png", "--aligned", "--draw", target)
    assert sorted(path.name for path in target.iterdir()) == ["x-2.facelocus.png", "x.facelocus.png"]
    assert (target / "x.facelocus.png").read_bytes() == before["x.facelocus.png"]


def test_a_drawing_never_replaces_a_photo_that_was_given_or_a_file_of_the_user(folder: Path, tmp_path: Path) -> None:
    for name in ("x.png", "x.facelocus.png"):
        Image.fromarray(draw_face(4)).save(tmp_path / name)
    before = (tmp_path / "x.facelocus.png").read_bytes()
    assert _run(folder, tmp_path / "x.png", "--aligned", "--draw", tmp_path).exit_code == 0
    assert (tmp_path / "x.facelocus.png").read_bytes() == before
    assert (tmp_path / "x-2.facelocus.png").exists()


def test_a_place_where_drawings_cannot_go_is_refused_in_one_line(folder: Path) -> None:
    result = _run(folder, folder / "crop.png", "--draw", folder / "plain.png")
    assert isinstance(result.exception, StorageError)
    assert "\n" not in str(result.exception)
