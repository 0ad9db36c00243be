"""facelocus convert from a shell: what it writes, says and refuses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from caffemodels import LAYERS, write
from facelocus.cli import main
from facelocus.nn.weights import read_tensors
from faces import write_celeba


def convert(caffemodel: Path, out: Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main(["convert", str(caffemodel), str(out)])
    return ended.value.code


def test_what_is_written_says_what_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = write(tmp_path / "a.caffemodel", LAYERS), tmp_path / "a.safetensors"
    assert convert(source, out) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{out}: 9.4 MB") and "not the published file" in first
    assert second.startswith("left out") and second.endswith(": fc6, fc6/bn")
    assert third == f"next: facelocus train RECIPE --data CELEBA --to RUN --from {out}"
    tensors, about = read_tensors(out)
    assert about["caffemodel_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert tensors["conv5.weight"].shape == (256, 192, 3, 3) and tensors["trunk.conv1.weight"].shape == (96, 3, 11, 11)
    written = out.read_bytes()
    assert convert(source, out) == 0 and out.read_bytes() == written


@pytest.mark.parametrize(
    ("content", "name", "code", "words"),
    [
        (b"no caffemodel", "a.safetensors", 1, "damaged or not a caffemodel"),
        (None, "a.safetensors", 1, "no such caffemodel"),
        (b"", "a.pth", 2, ".safetensors"),
    ],
)
def test_a_refusal_is_one_line_and_writes_nothing(
    content: bytes | None, name: str, code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "a.caffemodel"
    if content is not None:
        source.write_bytes(content)
    assert convert(source, tmp_path / name) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert not (tmp_path / name).exists()


@pytest.fixture
def converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    out = tmp_path / "a.safetensors"
    assert convert(write(tmp_path / "a.caffemodel", LAYERS), out) == 0
    capsys.readouterr()
    return out


def train(recipe: str, start: Path, folder: Path, *settings: str) -> int | str | None:
    words = [word for setting in settings for word in ("--set", setting)]
    data = write_celeba(folder / "celeba", 15)
    with pytest.raises(SystemExit) as ended:
        main(["train", recipe, "--data", str(data), "--to", str(folder / "run"), "--from", str(start), *words])
    return ended.value.code


def test_finetune_asks_for_a_trained_network(
    converted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("finetune", converted, tmp_path) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"facelocus: {converted}: holds the first layers of a network, not a trained one")
    assert not (tmp_path / "run").exists()


def test_the_record_of_a_run_says_what_it_started_from(converted: Path, tmp_path: Path) -> None:
    network = "trunk=alexnet_cvgj", "imagenet=false", "size=64,64", "channels=256", "conv_groups=2", "conv_affine=false"
    settings = ["batch_size=2", 'phases=[{"iterations": 1}]', *(f"network.{setting}" for setting in network)]
    assert train("default", converted, tmp_path, *settings) == 0
    record = json.loads((tmp_path / "run" / "record.json").read_text())
    assert record["from"] == read_tensors(converted)[1]
    assert "--from a.safetensors" in record["command"]
