"""`facelocus analyze`: what is printed, what is written, what a bad picture does."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from facelocus.cli import main
from facelocus.cli.analyze import analyze
from facelocus.errors import InputError, ModelFileError, StoppedError, StorageError, UsageError
from facelocus.photos import drawings
from facelocus.photos.folder import record_of_deadly
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
    (folder / "empty.jpg").write_bytes(b"")
    photos = [folder / "bad.jpg", folder / "crop.png", folder / "empty.jpg"]
    result = _run(folder, *photos, "--aligned")
    assert result.exit_code == 1
    assert f"{folder}/crop.png: 1 face" in result.stdout
    assert [line.split()[1] for line in result.stderr.splitlines()] == [str(photos[0]), str(photos[2])]
    entries = json.loads(_run(folder, *photos, "--aligned", "--json").stdout)
    assert [entry["path"] for entry in entries] == [str(photo) for photo in photos]
    assert [set(entry) - {"path"} for entry in entries] == [{"error"}, {"faces"}, {"error"}]
    assert entries[0]["error"]["type"] == "ImageError"


def test_a_missing_photo_is_refused_before_any_other(folder: Path) -> None:
    result = _run(folder, folder / "crop.png", folder / "none.jpg", "--aligned")
    assert isinstance(result.exception, InputError)
    assert result.stdout == ""


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


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """A folder below the working one with three crops, of which one cannot be read."""
    folder = tmp_path / "crops"
    folder.mkdir()
    for number in (0, 2):
        Image.fromarray(draw_face(number)).save(folder / f"{number}.png")
    (folder / "1.JPG").write_bytes(b"noise")
    return folder


def test_a_folder_is_printed_photo_by_photo(folder: Path, crops: Path) -> None:
    result = _run(folder, crops, "--aligned")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.endswith("1 face")] == [
        f"{crops / name}: 1 face" for name in ("0.png", "2.png")
    ]
    entries = json.loads(_run(folder, crops, "--aligned", "--json").stdout)
    assert [Path(entry["path"]).name for entry in entries] == ["0.png", "1.JPG", "2.png"]


def test_a_table_ends_with_a_summary_and_the_exit_code_says_whether_any_failed(folder: Path, crops: Path) -> None:
    out = crops / "faces.csv"
    result = _run(folder, crops, "--aligned", "--out", out)
    assert result.exit_code == 1
    assert (
        result.stderr == f"facelocus: {crops / '1.JPG'} is not a picture that can be read: convert it to JPEG or PNG\n"
    )
    assert re.fullmatch(
        rf"3 photographs: 2 faces, 0 without a face, 1 failed; [\d.]+ s; rows are in {re.escape(str(out))}\n",
        result.stdout,
    )
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    entries = json.loads(_run(folder, crops, "--aligned", "--json").stdout)
    for row, entry in zip(rows, entries, strict=True):
        assert row["path"] == entry["path"]
        assert row["error"] == entry.get("error", {}).get("message", "")
        for face in entry.get("faces", ()):
            assert {name: float(row[name]) for name in face["attributes"]} == face["attributes"]
    (crops / "1.JPG").unlink()
    assert _run(folder, crops, "--aligned", "--out", crops / "good.csv").exit_code == 0


def test_many_failures_are_counted_and_the_first_named(folder: Path, crops: Path) -> None:
    for number in range(3, 10):
        (crops / f"{number}.png").write_bytes(b"")
    result = _run(folder, crops, "--aligned", "--out", crops / "faces.csv")
    assert len(result.stderr.splitlines()) == 6
    assert result.stderr.splitlines()[-1] == f"facelocus: and 3 more; {crops / 'faces.csv'} has every reason"


def test_a_dry_run_says_what_would_be_done_and_does_nothing(folder: Path, crops: Path) -> None:
    before = sorted(crops.parent.rglob("*"))
    size = sum(path.stat().st_size for path in crops.iterdir()) / 1e6
    named = f"3 photographs, {size:.1f} MB: 2 .png, 1 .jpg\n"
    assert _run(folder, crops, "--aligned", "--dry-run").stdout == named
    named += f"drawings would go to {crops / 'drawn'}\nkeywords would go into PHOTO.xmp beside each photograph\n"
    ways = ["--aligned", "--dry-run", "--write-xmp", "--draw", crops / "drawn"]
    assert _run(folder, crops, *ways).stdout == named
    result = _run(folder, crops, *ways, "--out", crops / "faces.csv")
    assert (result.exit_code, result.stdout) == (0, f"{named}rows would go to {crops / 'faces.csv'}\n")
    assert sorted(crops.parent.rglob("*")) == before


def test_a_dry_run_says_how_much_of_a_stopped_run_is_done(
    folder: Path, crops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("facelocus.photos.journal.Journal.publish", stopped)
        result = _run(folder, crops, "--aligned", "--out", crops / "faces.csv", "--workers", 1)
    assert isinstance(result.exception, StoppedError)
    assert str(result.exception) == "stopped after 3 of 3 photographs: the same command goes on"
    line = _run(folder, crops, "--aligned", "--out", crops / "faces.csv", "--dry-run").stdout.splitlines()[1]
    assert line == f"rows would go to {crops / 'faces.csv'}: 3 of 3 photographs are done, the rest goes on"
    assert _run(folder, crops, "--aligned", "--out", crops / "faces.csv", "--workers", 2).exit_code == 1
    assert sorted(path.name for path in crops.iterdir()) == ["0.png", "1.JPG", "2.png", "faces.csv"]


def test_a_list_on_standard_input(folder: Path, crops: Path) -> None:
    arguments = ["-", "--aligned", "--json", "--model", str(folder / "m.onnx")]
    listed = f"{crops / '2.png'}\n{crops / 'gone.png'}\n{crops / '0.png'}\n{crops / '2.png'}\n"
    result = CliRunner().invoke(_app, arguments, input=listed)
    assert result.exit_code == 1
    entries = json.loads(result.stdout)
    assert [(Path(entry["path"]).name, "error" in entry) for entry in entries] == [
        ("2.png", False),
        ("gone.png", True),
        ("0.png", False),
    ]


def test_sidecars_are_written_without_a_table_too(folder: Path, crops: Path) -> None:
    (crops / "2.png.xmp").write_text("mine")
    result = _run(folder, crops, "--aligned", "--write-xmp")
    assert (crops / "0.png.xmp").exists() and not (crops / "1.JPG.xmp").exists()
    assert (crops / "2.png.xmp").read_text() == "mine"
    assert result.stderr.splitlines()[-1].startswith("1 XMP file")


def test_a_photo_that_goes_before_it_is_drawn_keeps_its_faces(
    folder: Path, crops: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (crops / "1.JPG").unlink()
    gone, draw = crops / "0.png", drawings.read_image

    def read(photo: Path) -> object:
        return draw(crops / "gone.png" if photo == gone else photo)

    monkeypatch.setattr(drawings, "read_image", read)
    said = f"facelocus: no drawing: {crops / 'gone.png'} does not exist: check the path\n"
    ways = ["--aligned", "--draw", tmp_path / "drawn"]
    result = _run(folder, crops, *ways, "--json")
    assert (result.exit_code, result.stderr) == (1, said)
    assert [(Path(entry["path"]).name, len(entry["faces"])) for entry in json.loads(result.stdout)] == [
        ("0.png", 1),
        ("2.png", 1),
    ]
    table = _run(folder, crops, *ways, "--out", tmp_path / "faces.csv")
    assert (table.exit_code, table.stderr) == (1, said)
    assert "2 photographs: 2 faces, 0 without a face, 0 failed" in table.stdout
    assert [path.name for path in (tmp_path / "drawn").iterdir()] == ["2.facelocus.png"]


@pytest.mark.skipif(os.name == "nt", reason="counts letters there")
@pytest.mark.parametrize("out", [True, False])
def test_the_longest_names_end_nothing(folder: Path, crops: Path, tmp_path: Path, out: bool) -> None:
    long = ["\u4e2d" * 81 + ".png", "\u4e2d" * 83 + "a.png", "\u4e2d" * 83 + "b.png"]
    for name in long:
        copyfile(crops / "0.png", crops / name)
    (crops / "1.JPG").unlink()
    ways = ["--aligned", "--write-xmp", "--draw", tmp_path / "drawn"]
    for _ in range(2):
        table = tmp_path / "faces.csv"
        table.unlink(missing_ok=True)
        result = _run(folder, crops, *ways, *(["--out", table] if out else []))
        assert result.exit_code == 0, result.exception
        assert result.stderr.splitlines()[-1].startswith("2 XMP files left out")
        made = {path.name for path in crops.iterdir() if path.suffix == ".xmp"}
        assert made == {"0.png.xmp", "2.png.xmp", f"{long[0]}.xmp"}
        drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
        cut = "\u4e2d" * 77
        assert drawn == sorted(f"{stem}.facelocus.png" for stem in ("0", "2", cut, f"{cut}-2", f"{cut}-3"))


def test_json_is_json_where_the_output_is_not_utf8(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = Path(copyfile(folder / "crop.png", tmp_path / "gr\u00fcn \U0001f600.png"))
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, "cp1252"))
    with pytest.raises(SystemExit) as ended:
        main(["analyze", str(photo), "--aligned", "--json", "--model", str(folder / "m.onnx")])
    sys.stdout.flush()
    assert ended.value.code == 0
    assert json.loads(out.getvalue())[0]["path"] == str(photo)


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_a_name_that_is_not_text_is_printed_and_comes_back_from_json(folder: Path, crops: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    try:
        copyfile(crops / "0.png", crops / name)
    except OSError:
        pytest.skip("this file system takes no such names")
    assert "caf\\udce9.png: 1 face" in _run(folder, crops / name, "--aligned").stdout
    assert json.loads(_run(folder, crops / name, "--aligned", "--json").stdout)[0]["path"] == str(crops / name)
    assert _run(folder, crops / name, "--aligned", "--out", crops / "faces.jsonl").exit_code == 0
    assert json.loads((crops / "faces.jsonl").read_text(encoding="utf-8"))["path"] == str(crops / name)


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_no_name_breaks_a_line_or_changes_the_terminal(folder: Path, crops: Path, tmp_path: Path) -> None:
    name = "a\n\x1b[31mb.png"
    copyfile(crops / "0.png", crops / name)
    shown = str(crops / "a\\n\\x1b[31mb.png")
    assert _run(folder, crops / name, "--aligned").stdout.startswith(f"{shown}: 1 face\n")
    out = tmp_path / os.fsdecode(b"\xff\x1b.csv")
    told = [_run(folder, crops / name, "--aligned", "--out", out, *more) for more in (["--dry-run"], [])]
    assert [result.exit_code for result in told] == [0, 0]
    assert all(str(tmp_path / "\\udcff\\x1b.csv") in result.stdout for result in told)
    assert record_of_deadly(str(crops / name))["error"][1].startswith(f"{shown} needs")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "faces.csv", "--json"], "choose one"),
        (["--out", "faces.xlsx"], "is no kind of table"),
        (["--out", "gone/faces.csv"], "lies in none"),
        (["--out", "crops"], "is a folder"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(
    folder: Path, crops: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(crops.parent)
    result = CliRunner().invoke(_app, ["crops", *arguments, "--model", "gone.onnx"])
    assert isinstance(result.exception, UsageError)
    assert words in str(result.exception)
    assert [path.name for path in crops.parent.iterdir()] == ["crops"]
