"""--model names a shipped model, a model file or a run's folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from facelocus.attributes import CELEBA
from facelocus.cli import lab
from facelocus.cli.models import open_model
from facelocus.errors import MissingExtraError, ModelFileError
from facelocus.nn import NetworkSpec
from facelocus.nn.weights import save_tensors
from faces import draw_face
from small_model import write_model


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What of a finished run its model is read from."""
    spec = NetworkSpec(trunk="resnet18", size=(64, 48), channels=16)
    torch.manual_seed(0)
    description = {
        "network": {"trunk": "resnet18", "size": [64, 48], "channels": 16},
        "attributes": CELEBA.to_json(),
        "thresholds": {"accuracy": [0.5] * 40, "balanced": [0.2] * 40},
        "training": {"recipe": "drawn"},
    }
    (tmp_path / "run").mkdir()
    save_tensors(spec.build(CELEBA).state_dict(), description, tmp_path / "run" / "weights.safetensors")
    return tmp_path / "run"


def test_each_kind_of_name_gives_a_model(run: Path, tmp_path: Path) -> None:
    faces = np.stack([draw_face(1)])
    for name in ("default", str(write_model(tmp_path / "small.onnx")), str(run)):
        model = open_model(name)
        prediction = model.predict(faces)
        assert prediction.probabilities.shape == (1, len(model.attributes))
        assert model.thresholds["balanced"].shape == (len(model.attributes),)
    assert open_model(str(run)).name == "drawn"


def test_a_run_needs_the_lab(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'facelocus\[lab\]'"):
        open_model(str(run))


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="not a run folder"):
        open_model(str(tmp_path))
