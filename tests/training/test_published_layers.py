"""A run starts from published Alexnet-cvgj layers, trunk and every conv5; what does not fit is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from caffemodels import LAYERS, caffe, write
from facelocus.attributes import CELEBA, FRAME
from facelocus.data import Pack
from facelocus.errors import ModelFileError, UsageError
from facelocus.nn import NetworkSpec
from facelocus.nn.caffe import read_alexnet_cvgj
from facelocus.nn.weights import read_tensors, save_tensors
from facelocus.reports.between import between
from facelocus.reports.runs import read_runs
from facelocus.training import loop
from facelocus.training.recipe import Phase, Recipe
from facelocus.training.start import Start, first_network
from run_folders import write_run
from short_runs import CPU

LABELS = np.zeros((1, len(CELEBA)), np.int8)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    out = folder / "published.safetensors"
    save_tensors(*read_alexnet_cvgj(write(folder / "a.caffemodel", LAYERS)), out)
    return out


@pytest.fixture
def alex() -> Recipe:
    """The paper's network at a size that leaves 5 x 5 positions."""
    spec = NetworkSpec(trunk="alexnet_cvgj", size=(99, 99), channels=256, conv_groups=2, conv_affine=False)
    return Recipe(network=spec, phases=(Phase(iterations=1),), batch_size=2)


@torch.no_grad()
def test_every_sub_network_starts_as_caffes_conv5(alex: Recipe, converted: Path) -> None:
    network = first_network(alex, CELEBA, LABELS, Start.read(converted)).eval()
    frame = np.random.default_rng(2).integers(0, 256, (1, *FRAME), dtype=np.uint8)
    resized = network.resize(torch.from_numpy(frame).permute(0, 3, 1, 2).float())
    expected = caffe(LAYERS, resized[0].numpy()[::-1].astype(np.float64))  # RGB to BGR
    shared = network.features(torch.from_numpy(frame))
    np.testing.assert_allclose(shared[0], expected["conv4"], rtol=1e-3, atol=1e-4)
    heads = network.sub_networks
    each = torch.relu(heads.norm(heads.conv(shared))).unflatten(1, (8, 256))[0]
    for region in each:
        np.testing.assert_allclose(region, expected["conv5"], rtol=1e-3, atol=1e-4)


def test_runs_that_started_from_them_say_so_beside_others(converted: Path, tmp_path: Path) -> None:
    start = Start.read(converted)
    assert start.record == read_tensors(converted)[1]
    write_run(tmp_path / "published", start=start.record)
    write_run(tmp_path / "fresh", day=2)
    values = [value for value, _ in between(read_runs(tmp_path)[0])["from"]]
    assert sorted(values, key=str) == [None, f"alexnet_cvgj ({start.record['caffemodel_sha256'][:8]})"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["channels=64"], "set network.channels=256$"),
        (["conv_groups=1", "conv_affine=true"], "set network.conv_groups=2 network.conv_affine=false$"),
        (["trunk=resnet18", "size=64,64"], "set network.trunk=alexnet_cvgj$"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_setting(
    settings: list[str], words: str, alex: Recipe, converted: Path, pack: Pack, run: Path
) -> None:
    other = alex.with_settings([f"network.{setting}" for setting in settings])
    with pytest.raises(UsageError, match=words) as refused:
        loop.train(other, pack, run, name="alex", device=CPU, start=Start.read(converted), progress=False)
    assert str(refused.value).startswith(f"{converted}: ") and "\n" not in str(refused.value)
    assert not run.exists()


def test_a_recipe_that_transfers_is_refused(alex: Recipe, converted: Path) -> None:
    with pytest.raises(UsageError, match="not a trained one"):
        Start.read(converted).adapt(dataclasses.replace(alex, transfer=True))


def test_a_runs_own_weights_and_a_file_with_holes_are_refused(alex: Recipe, converted: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    tensors, about = read_tensors(converted)
    save_tensors(tensors, {"network": {}}, path)
    with pytest.raises(ModelFileError, match="belongs to a run: name the run's folder"):
        Start.read(path)
    for wrong in ({"conv5.bias": torch.zeros(255)}, {"trunk.conv1.bias": torch.zeros(5)}):
        save_tensors(tensors | wrong, about, path)
        with pytest.raises(ModelFileError, match="convert the caffemodel again"):
            first_network(alex, CELEBA, LABELS, Start.read(path))
    save_tensors({name: value for name, value in tensors.items() if name != "norm5.running_var"}, about, path)
    with pytest.raises(ModelFileError, match="convert the caffemodel again"):
        first_network(alex, CELEBA, LABELS, Start.read(path))
