"""What docs/performance.md says of kernels is what the profiles have, and no result is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from documents.performance import BENCH, by_kind, cost, equal, h100, h100_kernels, processor, records, waiting
from facelocus.model import Model


def test_kinds_add_up_to_the_profile() -> None:
    kernels = [("pse_pool_back", 1.0), ("_sums", 2.0), ("sm90_xmma_fprop", 4.0), ("nvjet_sm90", 0.5), ("_blocks", 0.25)]
    listed = [{"kernel": name, "microseconds_an_image": spent} for name, spent in kernels]
    found = by_kind({"microseconds_an_image": 10.0, "kernels": listed})
    assert list(found.values()) == [1.0, 0.25, 2.0, 4.0, 0.5, 2.25]


def test_the_way_back_through_a_relu_is_no_elementwise_rest() -> None:
    name = "void at::native::vectorized_elementwise_kernel<4, (anonymous namespace)::threshold_kernel_impl<float>"
    listed = [{"kernel": name, "microseconds_an_image": 3.0}, {"kernel": "elementwise", "microseconds_an_image": 1.0}]
    found = by_kind({"microseconds_an_image": 4.0, "kernels": listed})
    assert found["BatchNorm, ReLU, pooling"] == 3
    assert found["optimiser, casts, copies, elementwise"] == 1


CEILINGS = {"what": "ceilings", "device_name": "a card", "flops_a_second": 1e14, "bytes_a_second": 1e12}
FORM = {
    "what": "training_step",
    "device": "cuda",
    "device_name": "a card",
    "torch": "2",
    "batch": 8,
    "flops_an_image": 1e9,
    "least_bytes_an_image": 1e6,
    "share_of_arithmetic_limit": 0.5,
}
ASKED = {
    "what": "training_step",
    "device": "cuda",
    "recipe": "paper_alex",
    "precision": "bf16",
    "batch": 256,
    "device_name": "a card",
    "threads": 8,
    "images_per_second": 12345.0,
    "images_per_second_quartiles": [12000.0, 12400.0],
    "times_the_reference": 1.5,
    "share_of_arithmetic_limit": 0.11,
    "pse_share": 0.05,
}


def write(folder: Path, *written: dict[str, Any]) -> None:
    for number, record in enumerate(written):
        (folder / f"{number}.json").write_text(json.dumps(record))


def test_a_star_marks_what_was_captured_wrongly(tmp_path: Path) -> None:
    held = FORM | {"form": "slow", "images_per_second": 10.0, "notes": ["its memory was already free"]}
    plain = FORM | {"form": "fast", "images_per_second": 20.0, "notes": [], "pse_share": 0.1}
    plain["pse_microseconds_an_image"] = 2.0
    write(tmp_path, CEILINGS, held, plain)
    rows = h100(tmp_path).splitlines()[-2:]
    assert rows == ["| fast | 20 | 50.0 % | 2.0 (10 %) |", "| slow * | 10 | 50.0 % | not measured |"]


def test_each_gpu_has_a_table_of_its_own(tmp_path: Path) -> None:
    fast = FORM | {"form": "fast", "images_per_second": 20.0, "notes": []}
    other = {"device_name": "newer card"}
    slow = fast | other | {"form": "slow", "share_of_arithmetic_limit": None}
    network = ASKED | {"recipe": "default"}  # as h100.py measures it, no form of the network of the table
    del network["times_the_reference"]
    write(tmp_path, slow, CEILINGS, fast, CEILINGS | other | {"flops_a_second": 2e14}, network)
    first, second = h100(tmp_path).split("\n\nnewer card, ")
    assert first.startswith("a card, torch 2, batch 8; measured 100 TFLOP/s")
    assert first.endswith("\n| fast | 20 | 50.0 % | not measured |")
    assert second.startswith("torch 2, batch 8; measured 200 TFLOP/s")
    assert second.endswith("\n| slow | 20 | not measured | not measured |\n")


def test_what_facelocus_bench_found_on_a_gpu_is_no_form(tmp_path: Path) -> None:
    write(tmp_path, ASKED, CEILINGS, FORM | {"form": "fast", "images_per_second": 20.0, "notes": []})
    forms, asked = h100(tmp_path).split("\n\n`facelocus bench` on a GPU:\n\n")
    assert forms.splitlines()[4:] == ["| fast | 20 | 50.0 % | not measured |"]
    row = "| `paper_alex`, a step, bf16, batch 256, a card | 12,300 | 12,000 to 12,400 | 1.50 |  | 11 % | 5.0 % |"
    assert asked.splitlines()[2:] == [row]
    assert processor(tmp_path).startswith("Not yet measured")


def test_kernels_of_each_gpu_stand_beside_what_was_predicted_of_it(tmp_path: Path) -> None:
    def profile(variant: str, device_name: str, spent: float) -> dict[str, Any]:
        kernels = [{"kernel": "sm90_xmma_fprop", "microseconds_an_image": spent}]
        about = {"what": "profile", "variant": variant, "device_name": device_name}
        return about | {"kernels": kernels, "microseconds_an_image": spent + 1}

    both = profile("best", "a card", 4.0), profile("ours_eager", "a card", 8.0)
    guess = {"what": "prediction", "device_name": "a card", "microseconds_an_image": {"convolutions": 5.0}}
    write(tmp_path, *both, guess)
    assert h100_kernels(tmp_path).splitlines() == [
        "| microseconds an image | package | best form | predicted |",
        "|---|---|---|---|",
        "| convolutions | 8.0 | 4.0 | 5.0 |",
        "| all kernels | 9.0 | 5.0 | 5.0 |",
    ]
    write(tmp_path, *both, guess, profile("ours_eager", "newer card", 2.0))
    first, second = h100_kernels(tmp_path).split("\n\nnewer card:\n\n")
    assert first.startswith("a card:\n\n| microseconds an image | package | best form | predicted |\n")
    assert second.startswith("| microseconds an image | package |\n|---|---|\n")
    assert "| convolutions | 2.0 |\n" in second
    assert second.endswith("\n| all kernels | 3.0 |\n")


FORMS = [record for record in records(what="training_step", device="cuda") if "form" in record]


@pytest.mark.parametrize("record", FORMS, ids=lambda record: record["variant"])
def test_records_have_what_their_keys_promise(record: dict[str, object]) -> None:
    assert {"device_name", "torch", "precision", "batch", "images_per_second", "notes", "form"} <= record.keys()
    assert ("captured" in str(record["form"])) == ("graph" in str(record["variant"]))
    assert list(BENCH.glob(f"*{record['variant']}.json"))


def test_a_processor_that_was_not_measured_is_said_to_be(tmp_path: Path) -> None:
    assert processor(tmp_path).startswith("Not yet measured")
    record = {
        "what": "inference",
        "device": "cpu",
        "device_name": "a processor",
        "model": "default",
        "precision": "fp32",
        "batch": 4,
        "threads": 2,
        "images_per_second": 30.0,
        "images_per_second_quartiles": [29.0, 31.0],
        "times_the_reference": 2.5,
        "share_of_arithmetic_limit": 0.7,
        "pse_share": 0.01,
    }
    (tmp_path / "one.json").write_text(json.dumps(record))
    row = processor(tmp_path).splitlines()[-1]
    what = "| model file `default`, fp32, batch 4, 2 threads of a processor "
    assert row == what + "| 30 | 29 to 31 | 2.50 |  | 70 % | 1.0 % |"
    del record["pse_share"]  # a network without attention
    (tmp_path / "one.json").write_text(json.dumps(record))
    assert processor(tmp_path).splitlines()[-1] == what + "| 30 | 29 to 31 | 2.50 |  | 70 % |  |"


def test_a_cost_has_its_exponents_and_where_it_was_measured_its_memory(tmp_path: Path) -> None:
    line = {"line": "a step", "exponent": 0.5, "exponent_at_the_end": 0.75}
    seconds = line | {"cost": "seconds", "points": [[1, 0.25], [1024, 8.0]]}
    record: dict[str, Any] = {"what": "cost", "axis": "images", "cores": 2, "device_name": "a processor"}
    record["lines"] = [seconds]
    (tmp_path / "one.json").write_text(json.dumps(record))
    assert cost(tmp_path).splitlines()[-1] == "| images | a step | 250 ms at 1 | 8 s at 1,024 | 0.50 | 0.75 | | | |"
    record["lines"] = [seconds, line | {"cost": "bytes", "points": [[1, 3e9], [1024, 2e9]]}]
    (tmp_path / "one.json").write_text(json.dumps(record))
    assert cost(tmp_path).splitlines()[-1].endswith("| 0.50 | 0.75 | 0.50 | 0.75 | 3.00 GB |")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Model.load("default").sha256, "On 2 cores of a processor:"),
        ("f00d", "On 2 cores of a processor; by images, of weights `default` that shipped before today's:"),
    ],
)
def test_a_cost_says_where_and_of_which_weights_it_is(model: str, said: str, tmp_path: Path) -> None:
    record = {"what": "cost", "axis": "images", "cores": 2, "device_name": "a processor", "model": model, "lines": []}
    (tmp_path / "one.json").write_text(json.dumps(record))
    assert cost(tmp_path).splitlines()[0] == said
    (tmp_path / "two.json").write_text(json.dumps(record | {"device_name": "another"}))
    with pytest.raises(ValueError, match="too many values"):
        cost(tmp_path)


def test_every_way_of_the_data_is_said_with_what_it_leads_through() -> None:
    rows = waiting().splitlines()[2:]
    assert [row.split(",")[0].split(" |")[0] for row in rows] == [
        "| official JPEG to a Pack",
        "| official JPEG to a Pack",
        "| Pack to the training step",
        "| aligned JPEG files to 40 scores",
    ]
    assert all(row.count("|") == 6 for row in rows)


def test_a_share_is_rounded_once(tmp_path: Path) -> None:
    pack = {"what": "pack", "file_system": "ext4", "images": 9, "cores": 2, "device_name": "a processor"}
    pack |= {"images_per_second": 3189.2, "reference_images_per_second": 3773.3, "share_of_decoder": 0.845}
    write(tmp_path, pack | {"disk_megabytes_per_second": {"packing": 371.0, "writing_alone": 425.0}})
    assert "| decoding alone: 3,773 | 0.85 of it; writing 371 MB/s" in waiting(tmp_path)


def test_equal_trainings_are_told_by_what_seeds_differ_by(tmp_path: Path) -> None:
    record = {"what": "equal_training", "ours": [89.0, 89.2], "reference": [89.1, 89.06], "mean_difference": 0.02,
              "standard_deviation_over_seeds": 0.0283, "iterations": 300, "batch": 32, "size": [112, 96]}  # fmt: skip
    (tmp_path / "equal.json").write_text(json.dumps(record))
    text = equal(tmp_path)
    assert "ours 89.00, 89.20, the reference 89.10, 89.06. Ours less the reference is +0.020 points" in text
    assert "0.028 (standard deviation)" in text
