"""The model file: what it computes, and what is refused."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facelocus import model as model_module
from facelocus.errors import ModelFileError, UsageError
from facelocus.model import Model, check_golden, golden_tolerance
from small_model import SMALL, crops, description, write_golden, write_model


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "small.onnx")


@pytest.fixture(scope="module")
def small(file: Path) -> Model:
    return Model.load(file, threads=1)


def test_a_model_knows_what_its_file_says(small: Model, file: Path) -> None:
    assert small.name == "small"
    assert small.attributes == SMALL
    assert small.thresholds["balanced"].dtype == np.float32
    assert small.metadata["licence"] == "drawn"
    assert small.path == file
    assert small.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_probabilities_and_masks_are_those_of_the_graph(small: Model) -> None:
    images = crops(3)
    got = small.predict(images)
    unit = images / 255
    left_red = 1 / (1 + np.exp(-(8 * unit[:, :, :89, 0].mean(axis=(1, 2)) - 4)))
    assert got.probabilities.shape == (3, 4) and got.probabilities.dtype == np.float32
    np.testing.assert_allclose(got.probabilities[:, 0], left_red, atol=1e-5)
    assert got.masks is not None and got.masks.shape == (3, 2, 2, 2)
    np.testing.assert_allclose(got.masks[:, 0, 0, 1], unit[:, :109, 89:].mean(axis=(1, 2, 3)), atol=1e-5)


def test_batches_of_any_size_give_the_same(small: Model) -> None:
    images = crops(7)
    whole, pieces = small.predict(images), small.predict(images, batch=3)
    np.testing.assert_allclose(whole.probabilities, pieces.probabilities, atol=1e-4)
    np.testing.assert_allclose(whole.masks, pieces.masks, atol=1e-4)


def test_flip_averages_probabilities_and_unflipped_masks(small: Model) -> None:
    images = crops(2)
    plain, mirrored = small.predict(images), small.predict(images[:, :, ::-1])
    both = small.predict(images, flip=True)
    assert np.abs(plain.probabilities - mirrored.probabilities).max() > 0.01
    np.testing.assert_allclose(both.probabilities, (plain.probabilities + mirrored.probabilities) / 2, atol=1e-6)
    # This network's masks only follow the picture, so mirroring there and back changes nothing.
    np.testing.assert_allclose(both.masks, plain.masks, atol=1e-5)


def test_no_crops_give_empty_arrays_of_the_right_shape(small: Model) -> None:
    got = small.predict(crops(0))
    assert got.probabilities.shape == (0, 4)
    assert got.masks is not None and got.masks.shape == (0, 2, 2, 2)


def test_a_model_without_masks_returns_none(tmp_path: Path) -> None:
    assert Model.load(write_model(tmp_path / "m.onnx", masks=False)).predict(crops(1), flip=True).masks is None


@pytest.mark.parametrize(
    ("bad", "names"),
    [
        (crops(1).astype(np.float32), "float32"),
        (crops(1)[0], "218 x 178 x 3"),
        (crops(1)[:, :, :, :1], "1 x 218 x 178 x 1"),
    ],
)
def test_wrong_crops_are_refused_with_the_wanted_shape(small: Model, bad: np.ndarray, names: str) -> None:
    with pytest.raises(UsageError, match="uint8 N x 218 x 178 x 3") as refusal:
        small.predict(bad)
    assert names in str(refusal.value)


def test_zero_threads_and_zero_batch_are_refused(small: Model, file: Path) -> None:
    with pytest.raises(UsageError, match="threads is 0"):
        Model.load(file, threads=0)
    with pytest.raises(UsageError, match="batch is 0"):
        small.predict(crops(1), batch=0)


def test_a_provider_that_is_not_there_is_refused_with_those_that_are(file: Path) -> None:
    with pytest.raises(UsageError, match=r"no provider 'GPU': choose one of .*CPUExecutionProvider"):
        Model.load(file, provider="GPU")


def test_a_model_pickles_as_its_path(small: Model) -> None:
    again = pickle.loads(pickle.dumps(small))
    np.testing.assert_array_equal(again.predict(crops(2)).probabilities, small.predict(crops(2)).probabilities)


def test_a_shipped_model_is_found_by_its_bare_name(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "shipped_models", lambda: {"default": file})
    assert Model.load().name == "small"
    with pytest.raises(ModelFileError, match="no model is named 'defualt': shipped are default"):
        Model.load("defualt")


def _bad(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.onnx"
    whole = write_model(folder / "whole.onnx").read_bytes()
    metadata = description()
    if kind == "folder":
        path.mkdir()
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "text":
        path.write_bytes(b"<html>not found</html>")
    elif kind == "foreign":
        write_model(path, "")
    elif kind == "newer":
        write_model(path, metadata | {"format": 2})
    elif kind == "not_json":
        write_model(path, "{")
    elif kind == "no_attributes":
        write_model(path, {key: value for key, value in metadata.items() if key != "attributes"})
    elif kind == "few_thresholds":
        write_model(path, metadata | {"thresholds": {"accuracy": [0.5], "balanced": [0.5]}})
    elif kind == "frame":
        write_model(path, frame=(112, 112, 3))
    elif kind == "regions":
        write_model(path, regions=3)
    elif kind == "attributes":
        five = SMALL.to_json()
        five = {**five, "names": [*five["names"], "Fifth"], "region_of": [*five["region_of"], "left"]}
        write_model(
            path,
            metadata | {"attributes": five, "thresholds": dict.fromkeys(("accuracy", "balanced"), [0.5] * 5)},
        )
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("missing", "no such file"),
        ("folder", "is a folder"),
        ("empty", "is empty"),
        ("truncated", "cut short or damaged"),
        ("text", "not an ONNX file"),
        ("foreign", "without a facelocus description"),
        ("newer", "made by a newer facelocus .format 2, this one reads 1.: update"),
        ("not_json", "description is broken"),
        ("no_attributes", "description is broken"),
        ("few_thresholds", "description is broken"),
        ("frame", "not N x"),
        ("regions", "masks are"),
        ("attributes", "probabilities are"),
    ],
)
def test_an_unusable_file_is_refused_in_one_line_that_names_it(tmp_path: Path, kind: str, says: str) -> None:
    path = _bad(tmp_path, kind)
    with pytest.raises(ModelFileError, match=says) as refusal:
        Model.load(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_refused_file_prints_nothing_of_its_own(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom facelocus.model import Model\nfrom facelocus.errors import ModelFileError\n"
        "try:\n    Model.load(sys.argv[1])\nexcept ModelFileError:\n    sys.exit(3)\n"
    )
    path = _bad(tmp_path, "truncated")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


def test_golden_outputs_are_compared(tmp_path: Path) -> None:
    model = Model.load(write_model(tmp_path / "small.onnx"))
    images = crops(2)
    right = model.predict(images)
    assert right.masks is not None
    write_golden(model.path, images, right.probabilities, right.masks)
    assert check_golden(model) == 0
    write_golden(model.path, images, right.probabilities, right.masks + np.float32(0.25))
    assert check_golden(model) == pytest.approx(0.25, abs=1e-6)
    write_golden(model.path, images, right.probabilities, right.masks * np.float32(np.nan))
    assert np.isnan(check_golden(model))


def test_a_golden_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    model = Model.load(write_model(tmp_path / "small.onnx"))
    golden = tmp_path / "small.golden.npz"
    with pytest.raises(ModelFileError, match=r"small\.golden\.npz: no such file"):
        check_golden(model)
    golden.write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(ModelFileError, match="not a golden file"):
        check_golden(model)
    np.savez_compressed(golden, images=crops(1), probabilities=np.zeros((1, 4), np.float32))
    content = bytearray(golden.read_bytes())
    begin = 30 + content[26] + content[28]  # behind the name and the extra field of the first entry's header
    content[begin] = 0xFF  # a block of a kind that deflate does not have
    golden.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"not a golden file .*invalid block type"):
        check_golden(model)
    write_golden(model.path, crops(1), np.zeros((1, 9), np.float32), np.zeros((1, 2, 2, 2), np.float32))
    with pytest.raises(ModelFileError, match="of another model"):
        check_golden(model)


@pytest.mark.parametrize("name", sorted(model_module.shipped_models()))
def test_each_shipped_model_computes_its_golden_outputs(name: str) -> None:
    model = Model.load(name)
    assert check_golden(model) <= golden_tolerance(model)
