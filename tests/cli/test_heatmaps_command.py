"""`facelocus heatmaps`: the masks of a photograph's faces, and their means over a split."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from facelocus.cli import app, main
from facelocus.data import Pack
from facelocus.data.readers import read_table
from facelocus.images import draw
from facelocus.images.heatmaps import draw_mean_masks
from facelocus.model import Model
from faces import write_celeba
from small_model import SMALL, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "small.onnx")


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Three test faces, three validation faces, nine train faces."""
    folder = tmp_path_factory.mktemp("data")
    return Pack.build(read_table(write_celeba(folder / "celeba", 15)), folder / "pack", workers=1)


def run(*arguments: object) -> None:
    app(["heatmaps", *map(str, arguments)], standalone_mode=False)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int | str | None, str]:
    with pytest.raises(SystemExit) as ended:
        main(["heatmaps", *map(str, arguments)])
    (line,) = capsys.readouterr().err.splitlines()
    return ended.value.code, line


def measured(pack: Pack, model: Path, folder: Path, *more: object) -> dict[str, Any]:
    run("--data", pack.folder, "--model", model, "--to", folder / "mean.png", "--json", folder / "mean.json", *more)
    record: dict[str, Any] = json.loads((folder / "mean.json").read_text())
    return record


def test_every_face_of_a_photograph_is_drawn(
    portrait: npt.NDArray[np.uint8],
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Image.fromarray(portrait).save(tmp_path / "one.png")
    Image.fromarray(np.concatenate([portrait, portrait], axis=1)).save(tmp_path / "two.png")
    heights = {}
    for name, most, said in (
        ("one", 20, "masks of 1 face"),
        ("two", 20, "masks of 2 faces"),
        ("two", 1, "masks of 2 faces, the largest 1 drawn"),
    ):
        monkeypatch.setattr(draw, "PANELS", most)
        run(tmp_path / f"{name}.png", "--model", model, "--to", tmp_path / "sheet.png")
        assert capsys.readouterr().out == f"{tmp_path / 'sheet.png'}: {said}\n"
        with Image.open(tmp_path / "sheet.png") as sheet:
            heights[said] = sheet.height
    one, two, bounded = heights.values()
    assert one == bounded < two


def test_without_a_face_nothing_is_drawn(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (90, 90)).save(tmp_path / "plain.png")
    code, line = refused(capsys, tmp_path / "plain.png", "--model", model, "--to", tmp_path / "sheet.png")
    assert code == 1
    assert "plain.png: no face found" in line
    assert [path.name for path in tmp_path.iterdir()] == ["plain.png"]


def test_a_model_without_masks_is_refused(
    portrait_file: Path, pack: Pack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blind = write_model(tmp_path / "blind.onnx", masks=False)
    for what in ([portrait_file], ["--data", pack.folder]):
        code, line = refused(capsys, *what, "--model", blind, "--to", tmp_path / "sheet.png")
        assert code == 1
        assert "blind.onnx: has no masks" in line and "pse_conv" in line
    assert [path.name for path in tmp_path.iterdir()] == ["blind.onnx"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "either a photograph or --data"),
        (["photo.jpg", "--data", "faces"], "either a photograph or --data"),
        (["photo.jpg", "--json", "mean.json"], "--json writes mean masks"),
        (["--data", "faces", "--split", "tset"], "train, validation, test"),
        (["photo.jpg", "--to", "."], "--to"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    arguments: list[str], words: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = refused(capsys, *arguments, "--model", model)
    assert code == 2
    assert words in line


def test_mean_masks_are_means_over_the_split(
    pack: Pack, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("facelocus.cli.heatmaps"), "_BATCH", 2)
    for more, split in (([], "test"), (["--split", "train"], "train")):
        record = measured(pack, model, tmp_path, *more)
        rows = pack.rows(split)
        masks = Model.load(model).predict(pack.frames(rows)).masks
        assert masks is not None
        assert (record["split"], record["images"]) == (split, len(rows))
        assert np.abs(np.array(record["masks"]) - masks.mean(axis=0)).max() < 6e-5, "to four decimals"


def test_the_record_says_what_it_was_taken_from_and_the_figure_comes_from_it(
    pack: Pack, model: Path, tmp_path: Path
) -> None:
    record = measured(pack, model, tmp_path)
    assert record["regions"] == list(SMALL.regions)
    assert record["model"] == {"name": "small", "sha256": Model.load(model).sha256, "commit": "0123abc"}
    assert record["data"] == {"description": pack.description, "fingerprint": pack.fingerprint}
    assert {"date", "commit", "device", "versions"} <= record.keys()
    assert str(tmp_path) not in json.dumps(record) and str(pack.folder) not in json.dumps(record)
    with Image.open(tmp_path / "mean.png") as figure:
        assert figure.tobytes() == draw_mean_masks(record).tobytes()
    assert {**measured(pack, model, tmp_path), "date": ""} == {**record, "date": ""}


def test_the_camera_suffices(portrait_file: Path, pack: Pack, model: Path, tmp_path: Path) -> None:
    code = "import sys; from facelocus.cli import main\ntry: main(sys.argv[1:])\nfinally: print(*sys.modules)"
    for what in ([portrait_file], ["--data", pack.folder]):
        command = [sys.executable, "-c", code, "heatmaps", *what, "--model", model, "--to", tmp_path / "sheet.png"]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        loaded = set(done.stdout.splitlines()[-1].split())
        assert "onnxruntime" in loaded
        assert not loaded & {"torch", "timm", "onnx", "matplotlib"}
