"""What a benchmark's record says: rates and costs from paired rounds, operations, and where a step's time goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from facelocus.attributes import CELEBA
from facelocus.bench import inference, limits, training
from facelocus.bench.inference import inference_record
from facelocus.bench.limits import PRODUCTS, operations, operations_a_second, share_of_limit
from facelocus.bench.parts import OPTIMISER, PARTS, draw_parts, parts_table, step_parts
from facelocus.bench.step import TrainingStep
from facelocus.bench.timing import alternate, rates
from facelocus.bench.training import training_record
from facelocus.errors import FacelocusError
from facelocus.export.graph import to_onnx
from facelocus.nn.network import NetworkSpec
from facelocus.recipes import load_recipe
from facelocus.training.recipe import Phase
from small_model import description

CPU = torch.device("cpu")
SPEC = NetworkSpec(size=(48, 40), channels=32)
SMALL = replace(load_recipe("default"), network=SPEC, phases=(Phase(epochs=1),), batch_size=2, precision="fp32")


def test_every_step_has_its_turn_in_every_round() -> None:
    called: list[str] = []

    def step(name: str) -> None:
        called.append(name)
        time.sleep(0.3)  # longer than a round must last, so that one call is a round

    seconds = alternate({"a": partial(step, "a"), "b": partial(step, "b")}, 2, CPU)
    assert "".join(called) == "aaabbb" + "abab"
    assert all(len(times) == 2 and min(times) > 0.29 for times in seconds.values())


def test_costs_are_differences_within_rounds() -> None:
    # The machine gets ten times slower from round to round; what is compared does not move.
    slower = [1.0, 10.0, 100.0]
    seconds = {
        "ours": [0.5 * s for s in slower],
        "ours without": [0.4 * s for s in slower],
        "reference": [1.0 * s for s in slower],
        "reference without": [0.5 * s for s in slower],
    }
    record = rates(seconds, images=10)
    assert record["times_the_reference"] == 2.0
    assert record["pse_share"] == 0.2
    assert record["reference_pse_share"] == 0.5
    assert record["images_per_second"] == 2.0
    assert record["pse_microseconds_an_image"] == 1e5
    assert "pse_share" not in rates({name: seconds[name] for name in ("ours", "reference")}, 10)


def test_operations_of_a_grouped_convolution() -> None:
    convolution = nn.Conv2d(8, 8, 3, groups=4)
    assert operations(lambda: convolution(torch.zeros(1, 8, 5, 5))) == 2 * 9 * 8 * 2 * 9


def test_the_limit_is_the_fastest_product_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    def clock() -> Iterator[float]:
        moment = 0.0
        for took in [1.0] * (PRODUCTS - 1) + [0.5]:
            yield moment
            moment += took
            yield moment

    monkeypatch.setitem(limits.SIDES, "cpu", 8)
    monkeypatch.setattr(limits, "time", SimpleNamespace(perf_counter=clock().__next__))
    assert operations_a_second(CPU, "fp32") == 2 * 8**3 / 0.5
    monkeypatch.setattr(limits, "operations_a_second", lambda *_: 100.0)
    record = {"precision": "fp32", "images_per_second": 10.0}
    assert share_of_limit(record, 8.0, CPU, before=200.0)["share_of_arithmetic_limit"] == 0.4
    assert share_of_limit(record, 8.0, CPU, before=50.0)["matrix_flops_per_second"] == 100


def test_a_training_record_and_its_picture(tmp_path: Path) -> None:
    record = training_record(SMALL, "small", CPU, 1)
    assert record["what"] == "training_step"
    assert record["images_per_second"] > 0
    assert record["reference_images_per_second"] > 0
    assert 0 < record["share_of_arithmetic_limit"] < 1.5
    assert {"pse_share", "reference_pse_share", "pse_microseconds_an_image"} <= record.keys()
    assert [part["part"] for part in record["parts"]] == [*PARTS, OPTIMISER]
    assert len(parts_table(record).splitlines()) == 2 + len(PARTS)
    draw_parts(record, tmp_path / "parts.png")
    assert (tmp_path / "parts.png").stat().st_size > 5000


@pytest.mark.parametrize("hidden", [0, 8])
def test_parts_are_the_whole_step_and_change_nothing(hidden: int) -> None:
    torch.manual_seed(0)
    recipe = replace(SMALL, network=replace(SPEC, hidden=hidden))
    network = recipe.network.build(CELEBA)
    step = TrainingStep(network, recipe, CPU)
    plain = step.logits()
    parts = step_parts(network, step, 1)
    assert all(part["forward_milliseconds"] > 0 for part in parts)
    assert [part["part"] for part in parts if part["backward_milliseconds"] == 0] == [PARTS[0], OPTIMISER]
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert plain.shape == step.logits().shape


def test_a_reference_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TOLERANCE", -1.0)
    with pytest.raises(FacelocusError, match="reference's logits differ"):
        training_record(SMALL, "small", CPU, 1)


def test_an_inference_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    file = tmp_path / "tiny.onnx"
    about = {"network": {"trunk": "tf_efficientnet_lite0", "size": [48, 40], "channels": 32}, "name": "tiny"}
    file.write_bytes(to_onnx(SPEC.build(CELEBA), description(CELEBA, **about)))
    monkeypatch.setattr(inference, "FACES", 4)
    monkeypatch.setattr(inference, "operations_a_second", lambda *_: 1e16)
    record = inference_record(str(file), 1)
    assert (record["what"], record["model"]) == ("inference", "tiny")
    assert record["matrix_flops_per_second"] == 1e16
    assert record["images_per_second"] > 0
    assert "pse_share" in record
