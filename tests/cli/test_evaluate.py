"""`facelocus evaluate` from the data to the report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from facelocus.attributes import AttributeSet
from facelocus.cli.evaluate import evaluate
from facelocus.data.table import SPLITS
from facelocus.errors import DataError, FacelocusError, StorageError, UsageError
from facelocus.metrics import groups
from facelocus.model import Model
from small_model import SMALL, crops, description, write_model

WIDER = AttributeSet.by_region({"all": ("Right_Dark", "Other", "Left_Red", "Right_Red", "Left_Dark")})


def write_pack(folder: Path, attributes: AttributeSet = WIDER, count: int = 40, people: bool = True) -> Path:
    """Write a Pack labelled by its colours, a few labels wrong; the last ten faces are validation."""
    images = crops(count)
    red, grey = images[..., 0].mean(axis=1), images.mean(axis=(1, 3))
    truth = {"Other": np.zeros(count, bool)}
    for side, part in (("Left", slice(0, 89)), ("Right", slice(89, 178))):
        truth[f"{side}_Red"] = red[:, part].mean(axis=1) > 127
        truth[f"{side}_Dark"] = grey[:, part].mean(axis=1) < 127
    labels = np.stack([truth[name] for name in attributes.names], axis=1).astype(np.int8)
    labels[::9] = 1 - labels[::9]
    folder.mkdir()
    np.save(folder / "faces.npy", images)
    np.save(folder / "labels.npy", labels)
    np.save(folder / "splits.npy", np.repeat([2, 1], [count - 10, 10]).astype(np.int8))
    if people:
        np.save(folder / "people.npy", (np.arange(count) // 3).astype(np.int32))
    (folder / "names.json").write_text(json.dumps([f"{i}.png" for i in range(count)]))
    np.save(folder / "frame_of.npy", np.arange(count))
    about = {"format": 2, "rows": count, "frames": count, "people": people, "description": "drawn"}
    about["fingerprint"] = "f" * 64
    (folder / "pack.json").write_text(json.dumps(about | {"attributes": attributes.to_json()}))
    return folder


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(evaluate)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("data") / "pack")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "small.onnx")


def report(pack: Path, model: Path, folder: Path, *more: str) -> dict[str, Any]:
    out = folder / "report.json"
    result = run(pack, "--model", model, "--json", out, *more)
    assert result.exit_code == 0, result.output
    assert [path.name for path in folder.iterdir()] == ["report.json"]
    return json.loads(out.read_text())


def test_the_report_holds_every_number_with_what_it_was_measured_on(pack: Path, model: Path, tmp_path: Path) -> None:
    got = report(pack, model, tmp_path)
    metrics = (
        "accuracy",
        "balanced_accuracy",
        "accuracy_at_half",
        "balanced_accuracy_at_half",
        "f1",
        "average_precision",
    )
    for metric in metrics:
        low, high = got["intervals"]["mean_" + metric]
        assert 50 < low <= got["mean_" + metric] <= high <= 100
    assert list(got["attributes"]) == list(SMALL.names)
    assert list(got["regions"]) == list(SMALL.regions)
    assert got["images"] == 30 and got["people"] == 10 and got["split"] == "test" and got["flip"] is False
    assert got["model"] == {"name": "small", "sha256": Model.load(model).sha256, "commit": "0123abc"}
    assert got["data"] == {"description": "drawn", "fingerprint": "f" * 64}
    assert got["bootstrap"] == {"resamples": 2_000, "seed": 0, "over": "people"}
    assert {"python", "facelocus", "numpy", "onnxruntime"} == set(got["versions"])
    assert str(tmp_path) not in json.dumps(got) and str(pack.parent) not in json.dumps(got)


def test_labels_are_matched_to_the_model_by_name(pack: Path, model: Path, tmp_path: Path) -> None:
    got = report(pack, model, tmp_path)
    labels = np.load(pack / "labels.npy")[:30]
    faces = np.load(pack / "faces.npy")[:30]
    said = Model.load(model).predict(faces).probabilities >= 0.5
    for a, name in enumerate(SMALL.names):
        truth = labels[:, WIDER.names.index(name)] == 1
        assert got["attributes"][name]["accuracy"] == pytest.approx(100 * (said[:, a] == truth).mean(), abs=1e-3)
        assert got["attributes"][name]["positives"] == truth.sum()


def test_the_same_numbers_twice(pack: Path, model: Path, tmp_path: Path) -> None:
    once, twice = report(pack, model, tmp_path), report(pack, model, tmp_path)
    assert {**once, "date": ""} == {**twice, "date": ""}


def test_split_and_flip_are_obeyed(pack: Path, model: Path, tmp_path: Path) -> None:
    got = report(pack, model, tmp_path, "--split", "validation", "--flip")
    assert got["images"] == 10 and got["flip"] is True
    # Mirrored halves make both sides' probabilities equal, so that averaging tells them apart no longer.
    assert (
        got["mean_average_precision"] < report(pack, model, tmp_path, "--split", "validation")["mean_average_precision"]
    )


def test_the_table_lists_regions_attributes_and_means(pack: Path, model: Path) -> None:
    output = run(pack, "--model", model).output
    assert output.startswith("small on 30 test faces of 10 people, percent")
    for words in ("left", "  Left_Red", "right", "  Right_Dark", "mean_balanced_accuracy_at_half", "["):
        assert words in output


def test_intervals_are_over_images_where_people_are_unknown(model: Path, tmp_path: Path) -> None:
    write_pack(tmp_path / "pack", people=False)
    result = run(tmp_path / "pack", "--model", model, "--json", tmp_path / "r.json")
    assert result.exit_code == 0
    assert json.loads((tmp_path / "r.json").read_text())["bootstrap"]["over"] == "images"


def refusal(*arguments: object) -> FacelocusError:
    error = run(*arguments).exception
    assert isinstance(error, FacelocusError), error
    assert "\n" not in str(error)
    return error


def test_data_without_the_models_attributes_is_refused(model: Path, tmp_path: Path) -> None:
    other = AttributeSet.by_region({"all": ("Other", "Left_Red")})
    error = refusal(write_pack(tmp_path / "pack", other), "--model", model)
    assert isinstance(error, DataError)
    assert "no labels of Left_Dark and 2 more" in str(error) and str(tmp_path / "pack") in str(error)


def test_a_split_without_faces_or_without_meaning_is_refused(pack: Path, model: Path) -> None:
    assert "no face in the train split" in str(refusal(pack, "--model", model, "--split", "train"))
    assert isinstance(refusal(pack, "--model", model, "--split", "tset"), UsageError)
    assert SPLITS[0] in str(refusal(pack, "--model", model, "--split", "tset"))


def test_an_output_that_cannot_be_is_refused_before_the_work(pack: Path, model: Path, tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "none" / "r.json"):
        error = refusal(pack, "--model", model, "--json", out)
        assert isinstance(error, UsageError) and str(out) in str(error)


def test_a_full_disk_leaves_the_old_report_and_nothing_else(
    pack: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "r.json"
    out.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    error = refusal(pack, "--model", model, "--json", out)
    assert isinstance(error, StorageError) and "No space left" in str(error)
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_calibration_error_is_reported_beside_what_chance_leaves(pack: Path, model: Path, tmp_path: Path) -> None:
    got = report(pack, model, tmp_path)["calibration"]
    assert list(got["attributes"]) == list(SMALL.names)
    assert got["mean_error"] > 0 and got["mean_chance"] > 0 and got["mean_error_before"] is None
    line = next(line for line in run(pack, "--model", model).output.splitlines() if "calibration" in line)
    assert f"{got['mean_error']:.2f}  ({got['mean_chance']:.2f} by chance, - before calibration)" in line


def test_a_calibrated_files_error_before_is_that_of_the_network(pack: Path, model: Path, tmp_path: Path) -> None:
    plain = report(pack, model, tmp_path)["calibration"]["mean_error"]
    unchanged = {"slope": [1.0] * 4, "offset": [0.0] * 4}
    far = {"slope": [1.0] * 4, "offset": [3.0] * 4}
    for calibration, same in ((unchanged, True), (far, False)):
        made = write_model(tmp_path.parent / "calibrated.onnx", description(calibration=calibration))
        got = report(pack, made, tmp_path)["calibration"]
        assert got["mean_error"] == plain
        assert (got["mean_error_before"] == pytest.approx(plain, abs=1e-3)) == same
    assert report(pack, made, tmp_path, "--flip")["calibration"]["mean_error_before"] is None


def test_groups_are_compared(pack: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("SMALLEST", "LEAST", "LEAST_NAMED"):
        monkeypatch.setattr(groups, limit, 1)
    by = "Left_Red,Other,Left_Red+Right_Red"  # Other is of the data alone
    got = report(pack, model, tmp_path, "--by", by)["groups"]
    assert set(got) == set(by.split(","))
    red = np.load(pack / "labels.npy")[:30, WIDER.names.index("Left_Red")]
    assert got["Left_Red"]["groups"]["Left_Red"]["images"] == (red == 1).sum()
    assert (got["Left_Red"]["attributes"], got["Other"]["attributes"]) == (3, 4)
    assert len(got["Left_Red+Right_Red"]["groups"]) == 4
    output = run(pack, "--model", model, "--by", by).output
    assert "Left_Red and not Right_Red" in output
    for words in (r"\+ Left_Red  .*\n- not Left_Red .*\n  gap, \+ minus - ", r"\n    Left_Dark, \d+\.\d and \d+\.\d "):
        assert re.search(words, output)
    assert "groups" not in report(pack, model, tmp_path)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("Left_Red,Nose", "--by 'Nose': the data have no such attribute"),
        ("Left_Red+Left_Red", "--by 'Left_Red\\+Left_Red': name one attribute, or two different ones"),
        ("Left_Red+Other+Right_Red", "name one attribute, or two different ones"),
        ("Left_Red,", "--by '': the data have no such attribute"),
    ],
)
def test_groups_that_cannot_be_are_refused(by: str, words: str, pack: Path, model: Path) -> None:
    error = refusal(pack, "--model", model, "--by", by)
    assert isinstance(error, UsageError) and re.search(words, str(error))


def test_reliability_is_drawn(pack: Path, model: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name in ("once.png", "twice.png"):
        assert run(pack, "--model", model, "--draw", tmp_path / name).exit_code == 0
    once = (tmp_path / "once.png").read_bytes()
    assert once == (tmp_path / "twice.png").read_bytes()
    with Image.open(tmp_path / "once.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 10
    error = refusal(pack, "--model", model, "--draw", tmp_path)
    assert isinstance(error, UsageError) and f"--draw {tmp_path}" in str(error)
