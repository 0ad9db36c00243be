"""A model file in 8 bits: nearly the same answers, in integers, from weights that read back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from facelocus import export as export_module
from facelocus.attributes import CELEBA
from facelocus.bench import inference
from facelocus.cli import main
from facelocus.errors import FacelocusError, ModelFileError, UsageError
from facelocus.export import TOLERANCE_8_BITS, export_8_bits
from facelocus.export.graph import to_onnx
from facelocus.export.quantization import FIRST, quantize
from facelocus.model import Model, check_golden, golden_tolerance
from facelocus.nn import NetworkSpec
from facelocus.nn.network import RegionNetwork
from facelocus.nn.weights import read_model_file, round_to_half
from faces import draw_face, write_celeba
from small_model import description

FACES = np.stack([draw_face(seed) for seed in range(16)])


def build(**changes: object) -> RegionNetwork:
    """A network whose norms have seen the faces, as a trained one's have."""
    torch.manual_seed(0)
    spec = {"trunk": "tf_efficientnet_lite0", "size": (64, 48), "channels": 16} | changes
    network = NetworkSpec(**spec).build(CELEBA)  # type: ignore[arg-type]
    for layer in network.modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.momentum = None
    with torch.no_grad():
        network.train()(torch.from_numpy(FACES))
    network.load_state_dict(round_to_half(network.state_dict()))
    return network.eval()


def write_single(path: Path, **changes: object) -> Path:
    network = build(**changes)
    about = {"trunk": "tf_efficientnet_lite0", "size": [64, 48], "channels": 16} | changes
    path.write_bytes(to_onnx(network, description(CELEBA, network=about)))
    return path


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_single(tmp_path_factory.mktemp("quantization") / "small.onnx")


def in_8_bits(single: Path, out: Path) -> Path:
    export_8_bits(single, FACES, out, of={"description": "drawn"})
    return out


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"flip": True},
        {"attention": "none"},
        {"trunk": "resnet18"},
        {"trunk": "alexnet_cvgj", "size": (227, 227), "hidden": 32},
    ],
    ids=str,
)
def test_answers_are_nearly_those_of_single_precision(changes: dict[str, object], tmp_path: Path) -> None:
    single = write_single(tmp_path / "single.onnx", **changes)
    (tmp_path / "small.onnx").write_bytes(quantize(single.read_bytes(), FACES))
    ours, theirs = Model.load(tmp_path / "small.onnx").predict(FACES), Model.load(single).predict(FACES)
    assert np.abs(ours.probabilities - theirs.probabilities).mean() < TOLERANCE_8_BITS / 2
    assert np.abs(ours.probabilities - theirs.probabilities).max() > 1e-5
    assert (ours.masks is None) == (theirs.masks is None) == (changes.get("attention") == "none")
    if ours.masks is not None and theirs.masks is not None:
        assert np.abs(ours.masks - theirs.masks).mean() < TOLERANCE_8_BITS


def test_logits_are_right_on_average(single: Path, tmp_path: Path) -> None:
    model = Model.load(in_8_bits(single, tmp_path / "out.onnx"))
    ours, theirs = (np.log(p / (1 - p)) for p in (m.predict(FACES).probabilities for m in (model, Model.load(single))))
    np.testing.assert_allclose(ours.mean(0), theirs.mean(0), atol=1e-3)


def test_all_but_the_first_convolutions_and_the_module_compute_in_integers(single: Path, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(in_8_bits(single, tmp_path / "out.onnx"), options, providers=["CPUExecutionProvider"])
    nodes = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    whole = sum(node.op_type == "Conv" for node in onnx.load(single).graph.node)
    attention = 2
    assert nodes.count("QLinearConv") == whole - FIRST - attention
    assert nodes.count("Conv") + nodes.count("FusedConv") == FIRST + attention
    assert not {"BatchNormalization", "Clip"} & set(nodes[: nodes.index("QLinearConv")])


def test_it_reads_back_as_the_network_it_was_made_of(single: Path, tmp_path: Path) -> None:
    found, about = read_model_file(in_8_bits(single, tmp_path / "out.onnx"))
    wanted, _ = read_model_file(single)
    assert found.spec == wanted.spec
    for name, value in wanted.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
    assert about["quantized"] == {"from": Model.load(single).sha256, "faces": 16, "description": "drawn"}


def test_its_golden_outputs_lie_beside_it_and_may_be_off_by_steps(single: Path, tmp_path: Path) -> None:
    model = Model.load(in_8_bits(single, tmp_path / "out.onnx"))
    assert check_golden(model) < 1e-6
    assert golden_tolerance(model) == 0.05 > golden_tolerance(Model.load(single))


def test_shipped_answers_stay_within_the_tolerance_where_layers_are_computed_otherwise() -> None:
    """Without onnxruntime's own forms of layers all is rounded elsewhere, as on another processor."""
    model = Model.load("tiny")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.path, options, providers=["CPUExecutionProvider"])
    differences = np.abs(session.run(["probabilities"], {"images": FACES})[0] - model.predict(FACES).probabilities)
    assert 0 < differences.max() <= golden_tolerance(model)
    assert differences.mean() < 2e-3


def test_what_cannot_be_made_is_refused_and_nothing_is_left(
    single: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = in_8_bits(single, tmp_path / "done.onnx")
    left = set(tmp_path.iterdir())
    with pytest.raises(ModelFileError, match=r"done\.onnx: computes in 8 bits already"):
        in_8_bits(done, tmp_path / "again.onnx")
    with pytest.raises(UsageError, match=r"ends in \.onnx"):
        in_8_bits(single, tmp_path / "again.safetensors")
    monkeypatch.setattr(export_module, "TOLERANCE_8_BITS", 1e-9)
    with pytest.raises(FacelocusError, match="not written"):
        in_8_bits(single, tmp_path / "again.onnx")
    assert set(tmp_path.iterdir()) == left


def test_the_command_makes_the_same_file_of_the_same_faces(
    single: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    faces = write_celeba(tmp_path / "faces", 30)
    for name in ("a.onnx", "b.onnx"):
        with pytest.raises(SystemExit) as ended:
            main(["quantize", str(single), str(faces), str(tmp_path / name), "--faces", "8"])
        assert ended.value.code == 0
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(f"{tmp_path / 'b.onnx'}: ") and said.endswith(f"from {single} on 8 faces")
    assert Model.load(tmp_path / "a.onnx").metadata["quantized"]["faces"] == 8


def test_a_place_in_no_folder_is_refused_before_anything_is_read(
    single: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["quantize", str(single), str(tmp_path / "no faces"), str(tmp_path / "none" / "a.onnx")])
    assert ended.value.code == 2
    assert "is a folder or lies in none" in capsys.readouterr().err


def test_its_time_is_recorded_as_that_of_8_bits(single: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "FACES", 4)
    record = inference.inference_record(str(in_8_bits(single, tmp_path / "out.onnx")), 1)
    assert record["precision"] == "int8" and record["images_per_second"] > 0
    assert "pse_share" in record and "share_of_arithmetic_limit" not in record
