"""The examples do what they show."""

from __future__ import annotations

import importlib.util
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import nn

import facelocus
from facelocus.nn import PSEConv

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> ModuleType:
    path = EXAMPLES / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_pse_trains_inside_a_stock_timm_network() -> None:
    torch.manual_seed(0)
    network = example("pse_in_timm").resnet18_with_pse(classes=5)
    (pse,) = (module for module in network.modules() if isinstance(module, PSEConv))
    assert sum(parameter.numel() for parameter in pse.parameters()) == 177
    before = [parameter.detach().clone() for parameter in pse.parameters()]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    images, labels = torch.randn(4, 3, 64, 64), torch.tensor([0, 1, 2, 3])
    logits = network(images)
    assert logits.shape == (4, 5)
    nn.functional.cross_entropy(logits, labels).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in pse.parameters())
    optimizer.step()
    assert all(not torch.equal(old, new) for old, new in zip(before, pse.parameters(), strict=True))


def test_pse_is_in_the_path_of_the_timm_network() -> None:
    """With masks of 0 the stages behind it see nothing, whatever the picture."""
    network = example("pse_in_timm").resnet18_with_pse(classes=5).eval()
    (pse,) = (module for module in network.modules() if isinstance(module, PSEConv))
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert not torch.equal(*network(images))
        pse.expand.bias.fill_(-1000)
        assert torch.equal(*network(images))


def test_putting_pse_into_a_timm_network_takes_under_ten_lines() -> None:
    lines = inspect.getsource(example("pse_in_timm").resnet18_with_pse).splitlines()
    code = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    assert len(code) < 10


def test_the_pse_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    example("pse_in_timm").main()
    said = capsys.readouterr().out
    assert "PSE adds 177 parameters" in said
    losses = [float(line.split()[-1]) for line in said.splitlines() if line.startswith("step")]
    assert losses[-1] < losses[0]
    assert "masks: (16, 1, 6, 6)" in said


SHIPPED = Path(facelocus.__path__[0]) / "models" / "default.onnx"
NODE = EXAMPLES / "node_modules" / "onnxruntime-node"


def output_of(*command: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_model_file_runs_without_facelocus_in_python(tmp_path: Path) -> None:
    with np.load(SHIPPED.with_suffix(".golden.npz")) as golden:
        faces, wanted = golden["images"], golden["probabilities"]
    np.save(tmp_path / "faces.npy", faces)
    lines = output_of(sys.executable, "-I", EXAMPLES / "model_file.py", SHIPPED, tmp_path / "faces.npy").splitlines()
    found = [json.loads(line.replace("'", '"')) for line in lines]
    assert list(found[0]) == list(facelocus.ATTRIBUTES)
    np.testing.assert_allclose([list(face.values()) for face in found], wanted, atol=2e-3)


@pytest.mark.skipif(not NODE.is_dir() or not shutil.which("node"), reason="`make node` installs onnxruntime-node")
def test_the_model_file_runs_without_facelocus_in_javascript(tmp_path: Path) -> None:
    with np.load(SHIPPED.with_suffix(".golden.npz")) as golden:
        faces, wanted, masks = golden["images"], golden["probabilities"], golden["masks"]
    (tmp_path / "faces.rgb").write_bytes(faces.tobytes())
    found = json.loads(output_of("node", EXAMPLES / "model_file.mjs", SHIPPED, tmp_path / "faces.rgb"))
    assert found["masks"] == list(masks.shape)
    np.testing.assert_allclose(found["probabilities"], wanted.ravel(), atol=1e-3)
