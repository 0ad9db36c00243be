"""Published Alexnet-cvgj weights compute what Caffe computes, and any other file is refused by the layer's name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from caffemodels import LAYERS, Layer, Maps, blob, caffe, encode, field, write
from facelocus.errors import ModelFileError
from facelocus.nn import caffe as reading
from facelocus.nn.backbones import AlexNetCVGJ
from facelocus.nn.caffe import read_alexnet_cvgj
from facelocus.nn.sub_networks import SubNetworks


@pytest.fixture(scope="module")
def tensors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    return read_alexnet_cvgj(write(tmp_path_factory.mktemp("caffe") / "a.caffemodel", LAYERS))[0]


def copied() -> list[Layer]:
    """The layers, whose blobs may be put in the place of others."""
    return [Layer(layer.name, layer.kind, list(layer.blobs)) for layer in LAYERS]


def picture(height: int = 227, width: int = 227) -> Maps:
    """3 x H x W in 0-255, BGR, smooth so that its colours differ."""
    rng = np.random.default_rng(1)
    colours = np.array([40.0, 120.0, 220.0])[:, None, None]
    return np.clip(colours + 30 * rng.standard_normal((3, height, width)), 0, 255).round()


@torch.no_grad()
def ours(tensors: dict[str, Tensor], bgr: Maps) -> tuple[Tensor, Tensor]:
    """Return conv4 and the sub-networks' conv5 before its ReLU, R x 256 x h x w, of an RGB picture in float64."""
    trunk = AlexNetCVGJ().eval()
    trunk.load_state_dict({n.removeprefix("trunk."): v for n, v in tensors.items() if n.startswith("trunk.")})
    heads = SubNetworks(384, (13, 13), 3, channels=256, conv_groups=2, conv_affine=False).eval()
    heads.start_from(*(tensors[n] for n in ("conv5.weight", "conv5.bias", "norm5.running_mean", "norm5.running_var")))
    shared = trunk.double()(torch.from_numpy(bgr[::-1].copy())[None])
    heads.double()
    return shared[0], heads.norm(heads.conv(shared)).unflatten(1, (3, 256))[0]


def distance(made: tuple[Tensor, Tensor], expected: dict[str, Maps]) -> tuple[float, float]:
    """Return how far conv4 and the farthest sub-network's conv5 are from Caffe's, in Caffe's deviations."""
    shared, heads = made
    conv4 = np.abs(shared.numpy() - expected["conv4"]).max() / expected["conv4"].std()
    conv5 = np.abs(heads.numpy() - expected["conv5/bn"]).max() / expected["conv5/bn"].std()
    return float(conv4), float(conv5)


# 239: conv1 58 and pool (58 - 3) / 2 + 1 = 28.5 -> 29, where rounding down is another network
@pytest.mark.parametrize("size", [(227, 227), (239, 227)])
def test_trunk_and_every_conv5_compute_what_caffe_computes(tensors: dict[str, Tensor], size: tuple[int, int]) -> None:
    assert max(distance(ours(tensors, picture(*size)), caffe(LAYERS, picture(*size)))) < 1e-5


@pytest.fixture(scope="module")
def small(tensors: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    return ours(tensors, picture(99, 99))


def other_channels(layers: dict[str, Layer]) -> None:
    layers["conv1"].blobs[0] = layers["conv1"].blobs[0][:, ::-1]


def other_statistics_order(layers: dict[str, Layer]) -> None:
    layers["data/bn"].blobs[:2] = [values[::-1] for values in layers["data/bn"].blobs[:2]]


def no_scale_factor(name: str) -> Callable[[dict[str, Layer]], None]:
    def change(layers: dict[str, Layer]) -> None:
        layers[name].blobs[2] = np.ones(1, np.float32)

    return change


def swapped_groups(name: str) -> Callable[[dict[str, Layer]], None]:
    def change(layers: dict[str, Layer]) -> None:
        layers[name].blobs[0] = np.concatenate(np.split(layers[name].blobs[0], 2)[::-1])

    return change


@pytest.mark.parametrize(
    "change",
    [
        other_channels,
        other_statistics_order,
        *(no_scale_factor(name) for name in ("data/bn", "conv1/bn", "conv3/bn", "conv5/bn")),
        *(swapped_groups(name) for name in ("conv2", "conv4", "conv5")),
    ],
)
def test_the_comparison_sees_each_mistake(
    small: tuple[Tensor, Tensor], change: Callable[[dict[str, Layer]], None]
) -> None:
    """Channels, scale factors and groups: if Caffe took one of them otherwise, outputs would differ."""
    layers = copied()
    change({layer.name: layer for layer in layers})
    assert max(distance(small, caffe(layers, picture(99, 99)))) > 0.1


def test_what_is_taken_and_left_out_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.caffemodel", LAYERS)
    _, about = read_alexnet_cvgj(path)
    assert about["taken"][:4] == ["data/bn", "data/scale", "conv1", "conv1/bn"]
    assert about["taken"][4:] == [f"conv{n}{end}" for n in range(2, 6) for end in ("", "/bn")]
    assert about["left_out"] == ["fc6", "fc6/bn"]
    assert about["layers_of"] == "alexnet_cvgj" and about["published"] is False
    monkeypatch.setattr(reading, "PUBLISHED", about["caffemodel_sha256"])
    assert read_alexnet_cvgj(path)[1]["published"] is True


def test_names_do_not_matter_and_numbers_may_be_doubles(tensors: dict[str, Tensor], tmp_path: Path) -> None:
    renamed = [
        Layer(f"layer {number}", layer.kind, [values.astype(np.float64) for values in layer.blobs])
        for number, layer in enumerate(LAYERS)
    ]
    again, about = read_alexnet_cvgj(write(tmp_path / "a.caffemodel", renamed))
    assert about["taken"][0] == "layer 1"
    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[name], value) for name, value in tensors.items())


def changed(name: str, number: int, values: Maps) -> list[Layer]:
    """The layers with another blob."""
    layers = copied()
    next(layer for layer in layers if layer.name == name).blobs[number] = np.asarray(values, np.float32)
    return layers


def without(*names: str) -> list[Layer]:
    return [layer for layer in LAYERS if layer.name not in names]


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "holds no layer's weights"),
    "truncated": (lambda: encode(LAYERS)[:-100], "damaged or not a caffemodel"),
    "text": (lambda: b'name: "AlexNet"\nlayer {\n', "damaged or not a caffemodel"),
    "a prototxt's layers alone": (lambda: encode([Layer("conv1", "Convolution", [])]), "holds no layer's weights"),
    "old layers": (lambda: field(2, field(4, b"conv1")), "in the form of 2014, which had no BatchNorm"),
    "a norm missing": (
        lambda: encode(without("conv3/bn")),
        r"layer 'conv3/bn' \(BatchNorm; ours: trunk.norm3\) is missing, there is 'conv4', a 'Convolution'",
    ),
    "a convolution and its norm missing": (
        lambda: encode(without("conv3", "conv3/bn")),
        r"layer 'conv4', read as 'conv3' \(Convolution; ours: trunk.conv3\), has blob 1 of 384 x 192 x 3 x 3, "
        "not 384 x 256 x 3 x 3",
    ),
    "an end too soon": (lambda: encode(LAYERS[:-5]), r"layer 'conv5/bn' \(.*\) is missing, the file ends"),
    "one group": (
        lambda: encode(changed("conv5", 0, np.zeros((256, 384, 3, 3)))),
        "blob 1 of 256 x 384 x 3 x 3, not 256 x 192 x 3 x 3",
    ),
    "no bias": (
        lambda: encode([Layer(at.name, at.kind, at.blobs[:1]) if at.name == "conv2" else at for at in LAYERS]),
        "'conv2'.* has 1 blobs, not 2",
    ),
    "no number": (lambda: encode(changed("conv1", 1, np.full(96, np.nan))), "'conv1'.* no numbers"),
    "an untrained norm": (lambda: encode(changed("conv1/bn", 2, np.zeros(1))), "'conv1/bn'.* scale factor of 0"),
    "a negative variance": (lambda: encode(changed("data/bn", 1, -np.ones(3))), "'data/bn'.* negative variance"),
    "a shape that lies": (
        lambda: field(
            100,
            field(1, b"data/bn")
            + field(2, b"BatchNorm")
            + b"".join(field(7, blob(np.zeros(2, np.float32), (size,))) for size in (3, 3, 1)),
        ),
        "has 2 numbers in blob 1 of 3",
    ),
    "a shape beyond memory": (
        lambda: field(
            100,
            field(2, b"BatchNorm") + 3 * field(7, blob(np.zeros(2, np.float32), (2**40, 2**40))),
        ),
        "layer '', read as 'data/bn' .* has blob 1 of 1099511627776 x 1099511627776, not 3",
    ),
    "names of no text": (
        lambda: field(100, field(1, b"\xff\n") + field(2, b"\xfe\n") + field(7, blob(np.zeros(2, np.float32)))),
        r"'data/bn' .* is missing, there is '\\\\xff\\n', a '\\\\xfe\\n'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_files_are_refused_in_one_line(case: str, tmp_path: Path) -> None:
    content, words = REFUSED[case]
    path = tmp_path / "other.caffemodel"
    path.write_bytes(content())
    with pytest.raises(ModelFileError, match=words) as refused:
        read_alexnet_cvgj(path)
    assert str(refused.value).startswith(f"{path}: ") and "\n" not in str(refused.value)


def test_what_is_no_file_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such caffemodel"):
        read_alexnet_cvgj(tmp_path)
    with (tmp_path / "huge").open("wb") as stream:
        stream.truncate(2**31)  # no byte of it is on the disk
    with pytest.raises(ModelFileError, match=r"2\.1 GB are too much"):
        read_alexnet_cvgj(tmp_path / "huge")
