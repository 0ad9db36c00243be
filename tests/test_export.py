"""The model file is the network, calibrated: same outputs, readable back, and refused when it is not one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from facelocus import export as export_module
from facelocus.attributes import CELEBA, AttributeSet
from facelocus.data.pack import open_pack
from facelocus.errors import FacelocusError, ModelFileError, StorageError, UsageError
from facelocus.export import TOLERANCE, export, golden_images
from facelocus.export.graph import to_onnx
from facelocus.metrics.accuracy import Confusion
from facelocus.metrics.calibration import Calibration
from facelocus.model import Model, check_golden
from facelocus.nn import NetworkSpec
from facelocus.nn.weights import read_model_file, round_to_half
from facelocus.recipes import load_recipe
from facelocus.training.loop import train
from facelocus.training.run import RunModel, calibrated, load_run, read_validation
from faces import draw_face, write_celeba

SMALL = [
    "network.trunk=resnet18",
    "network.imagenet=false",
    "network.size=[64,48]",
    "network.channels=16",
    "batch_size=8",
    'phases=[{"iterations":3}]',
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of three steps on drawn faces."""
    folder = tmp_path_factory.mktemp("export")
    pack = open_pack(write_celeba(folder / "faces", 30), folder / "packs")
    recipe = load_recipe("default").with_settings(SMALL)
    train(recipe, pack, folder / "run", name="default", device=torch.device("cpu"), progress=False)
    return folder / "run"


@pytest.fixture(scope="module")
def exported(run: Path) -> Path:
    export(run, run.parent / "small.onnx")
    return run.parent / "small.onnx"


def test_the_file_computes_what_the_calibrated_run_computes(run: Path, exported: Path) -> None:
    faces = np.stack([draw_face(seed) for seed in range(5)])
    ours, theirs = Model.load(exported).predict(faces, flip=True), calibrated(run).predict(faces, flip=True)
    assert np.abs(ours.probabilities - theirs.probabilities).max() < TOLERANCE
    assert ours.masks is not None and theirs.masks is not None
    assert np.abs(ours.masks - theirs.masks).max() < TOLERANCE


def test_the_file_carries_the_runs_description(run: Path, exported: Path) -> None:
    model, trained = Model.load(exported), load_run(run)
    assert model.name == "small"
    assert model.attributes == trained.attributes
    assert model.metadata["training"]["data"]["training_images"] > 0
    assert "non-commercial" in model.metadata["licence"]


def test_the_file_is_calibrated_on_the_runs_validation_faces(run: Path, exported: Path) -> None:
    model = Model.load(exported)
    labels, before, shift = read_validation(run)
    calibration = Calibration.from_json(model.metadata["calibration"])
    assert np.abs(calibration.offset).max() > 0.1  # three steps of training are far from right
    np.testing.assert_allclose(calibration.slope, Calibration.fit(labels, before).slope)
    pack = open_pack(run.parent / "faces", run.parent / "packs")
    got = model.predict(pack.frames(pack.rows("validation"))).probabilities
    np.testing.assert_allclose(got, calibration.apply(before), atol=TOLERANCE)
    np.testing.assert_allclose(calibration.undo(got), before, atol=10 * TOLERANCE)
    assert model.metadata["rates"] == Confusion.count(labels, calibration.apply(before), 0.5).to_rates()
    # New faces are expected to be labelled as they are on the way from validation to training.
    rates = shift.expected(Calibration.fit(labels, before).apply(before).mean(axis=0))
    np.testing.assert_allclose(got.mean(axis=0), rates, atol=TOLERANCE)
    np.testing.assert_allclose(model.thresholds["balanced"], rates, atol=1e-6)
    assert (model.thresholds["accuracy"] == 0.5).all()


def test_a_run_without_its_validation_is_not_exported(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    (copy / "validation.npz").write_bytes(b"PK not one")
    with pytest.raises(
        ModelFileError, match=r"copy/validation\.npz: damaged or another version.s .*: copy the run again"
    ):
        export(copy, tmp_path / "model.onnx")
    (copy / "validation.npz").unlink()
    with pytest.raises(ModelFileError, match=r"copy/validation\.npz: no such file: copy the whole folder"):
        export(copy, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == [copy]


def test_golden_outputs_lie_beside_the_file(exported: Path) -> None:
    assert check_golden(Model.load(exported)) < 1e-6


def test_a_model_file_reads_back_as_the_same_network(run: Path, exported: Path) -> None:
    network, description = read_model_file(exported)
    state, trained = network.state_dict(), calibrated(run).network.state_dict()
    differing = [n for n in trained if not n.endswith("num_batches_tracked") and not torch.equal(state[n], trained[n])]
    assert differing == []
    assert description["network"]["trunk"] == "resnet18"


def test_weights_keep_their_names_and_matrices_half_precision(exported: Path) -> None:
    kept = {entry.name: entry.data_type for entry in onnx.load(exported).graph.initializer}
    assert kept["sub_networks.conv.weight"] == onnx.TensorProto.FLOAT16
    assert kept["sub_networks.norm.running_var"] == onnx.TensorProto.FLOAT
    assert kept["trunk.model.layer3.1.conv2.weight"] == onnx.TensorProto.FLOAT16


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("attention", ["none", "pse_fully_connected", "squeeze_excitation"])
@pytest.mark.parametrize("trunk", ["resnet18", "alexnet_cvgj", "tf_efficientnet_lite0"])
def test_every_network_can_be_exported(flip: bool, attention: str, trunk: str, tmp_path: Path) -> None:
    attributes = AttributeSet.by_region({"up": ("Hat", "Hair"), "down": ("Chin",)}, ("Hat", "Chin", "Hair"))
    pooling = "max" if trunk == "alexnet_cvgj" else "mean"
    spec = NetworkSpec(trunk, size=(99, 67), channels=16, attention=attention, pooling=pooling, hidden=4, flip=flip)
    network = spec.build(attributes).eval()
    network.load_state_dict(round_to_half(network.state_dict()))
    half = [0.5] * 3
    description = {
        "format": 1,
        "attributes": attributes.to_json(),
        "thresholds": {"accuracy": half, "balanced": half},
        "network": {"flip": flip},
        "training": {},
        "licence": "",
    }
    path = tmp_path / "any.onnx"
    path.write_bytes(to_onnx(network, description))
    model = Model.load(path)
    faces = golden_images()[:3]
    theirs = RunModel(network).predict(faces)
    ours = model.predict(faces)
    assert np.abs(ours.probabilities - theirs.probabilities).max() < TOLERANCE
    assert (ours.masks is None) == (attention in ("none", "squeeze_excitation"))
    for said, by in ((ours, model), (theirs, RunModel(network))):
        nothing = by.predict(faces[:0])
        assert nothing.probabilities.shape == (0, 3)
        assert said.masks is None or nothing.masks.shape == (0, *said.masks.shape[1:])
    for said, by in ((ours, model), (theirs, RunModel(network))):
        again = by.predict(faces, flip=True).probabilities
        # A network that looks at the mirror image by itself is not asked twice.
        assert np.array_equal(again, said.probabilities) == flip
    nodes = onnx.load(path).graph.node
    # Padding that is worked out for every batch cost a third of a face's time.
    assert "Pad" not in {node.op_type for node in nodes}
    # What resizes is mostly zeros, and was a twentieth of the file.
    matrices = [numpy_helper.to_array(node.attribute[0].t) for node in nodes if node.op_type == "Constant"]
    assert all((matrix != 0).mean() > 0.25 for matrix in matrices if matrix.ndim == 2)


def test_exporting_leaves_the_network_as_it_was() -> None:
    network = NetworkSpec("tf_efficientnet_lite0", size=(67, 99)).build(CELEBA)
    faces = torch.from_numpy(golden_images())
    before = network.eval()(faces)
    network.train()
    to_onnx(network, {})
    assert network.training
    assert torch.equal(network.eval()(faces), before)


def test_a_wrong_graph_is_not_kept(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_module, "largest_difference", lambda *_: 0.01)
    with pytest.raises(FacelocusError, match=r"off by 1.0e-02: not written"):
        export(run, tmp_path / "wrong.onnx")
    assert list(tmp_path.iterdir()) == []


def test_bad_places_are_refused_and_nothing_is_left(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        export(run, tmp_path / "model.pt")
    with pytest.raises(StorageError, match="cannot be written"):
        export(run, tmp_path / "missing" / "model.onnx")
    with pytest.raises(StorageError, match="cannot be written"):
        export(run, run / "record.json" / "model.onnx")
    with pytest.raises(ModelFileError, match="not a run folder"):
        export(tmp_path, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_damaged_model_files_are_not_read_back(exported: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(exported.read_bytes()[:1000])
    with pytest.raises(ModelFileError, match=r"cut\.onnx: damaged"):
        read_model_file(cut)
    foreign = onnx.load(exported)
    del foreign.metadata_props[:]
    onnx.save(foreign, tmp_path / "foreign.onnx")
    with pytest.raises(ModelFileError, match=r"without facelocus's description"):
        read_model_file(tmp_path / "foreign.onnx")
    with pytest.raises(ModelFileError, match="no such model file"):
        read_model_file(tmp_path / "missing.onnx")
