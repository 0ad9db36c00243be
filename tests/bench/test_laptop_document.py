"""What docs/performance.md and the README say of the recipe `laptop` is what the records have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from documents.laptop import minutes, time_to_accuracy, ways


def test_time_to_accuracy_has_means_spreads_and_the_share_of_time(tmp_path: Path) -> None:
    def runs(seconds: float, test: float) -> list[dict[str, Any]]:
        made = {"device_name": "a processor", "threads": 2}
        scores = made | {"validation": 91.5, "test": test, "test_balanced": 87.5}
        return [scores | {"seed": seed, "seconds": seconds + 100 * seed} for seed in range(3)]

    record = {"what": "time_to_accuracy", "versions": {"torch": "2"}, "longer": []}
    pairs = {"stock": runs(1900, 90.85), "laptop": runs(400, 90.9)}
    (tmp_path / "one.json").write_text(json.dumps(record | pairs))
    about, _, head, *_, stock, laptop, _, share = time_to_accuracy(tmp_path).splitlines()
    assert about.startswith("2 threads, torch 2; the two in turns, pair by pair.")
    assert head == "| | seconds, a processor, 3 pairs | validation | test | balanced, test |"
    assert stock == "| stock fine-tune | 2,000 ± 100 | 91.50 ± 0.00 | 90.85 ± 0.00 | 87.50 ± 0.00 |"
    assert laptop.startswith("| `laptop` | 500 ± 100 |")
    assert share == (
        "Of the stock fine-tune's time `laptop` takes 25 % on a processor. It ends +0.00 points from it on validation "
        "faces, +0.05 on test faces."
    )
    told_so = {"settings": ["phases=4", "network.flip=true"], "device_name": "another"}
    longer = [run | told_so for run in runs(1560, 91.2)]
    (tmp_path / "one.json").write_text(json.dumps(record | pairs | {"longer": longer}))
    *_, row, _, _, _, told = time_to_accuracy(tmp_path).splitlines()
    assert row == "| `laptop`, longer |  | 91.50 ± 0.00 | 91.20 ± 0.00 | 87.50 ± 0.00 |"
    settings = "--set 'phases=4' --set 'network.flip=true'"
    assert told.startswith(f"*Longer* is `facelocus train laptop {settings}`, 3 runs on another: 91.20 on")
    (tmp_path / "one.json").write_text(
        json.dumps(record | {"stock": runs(1900, 90.85)[:1], "laptop": runs(400, 90.9)[:1]})
    )
    assert "| stock fine-tune | 1,900 | 91.50 |" in time_to_accuracy(tmp_path)
    assert "| seconds, a processor, one pair |" in time_to_accuracy(tmp_path)
    assert "reaches 90.90 % of test labels right in 7 minutes on 2 cores of a processor, a stock" in minutes(tmp_path)
    assert "90.85 % in 32 (" in minutes(tmp_path)


def test_seconds_are_of_one_kind_of_processor_each_and_percents_of_all(tmp_path: Path) -> None:
    reached = {"validation": 90.0, "test": 90.0, "test_balanced": 90.0, "threads": 2}

    def runs(*seconds: float) -> list[dict[str, Any]]:
        devices = ("slow", "quick", "quick")
        return [
            reached | {"seconds": took, "device_name": device, "test": 80.0 + took / 100}
            for took, device in zip(seconds, devices, strict=True)
        ]

    sides = {"stock": runs(1000, 100, 300), "laptop": runs(500, 50, 70), "longer": []}
    record = {"what": "time_to_accuracy", "versions": {"torch": "2"}, **sides}
    (tmp_path / "record.json").write_text(json.dumps(record))
    table = time_to_accuracy(tmp_path)
    assert "seconds, slow, one pair | seconds, quick, 2 pairs |" in table
    assert "| stock fine-tune | 1,000 | 200 ± 141 | 90.00 ± 0.00 | 84.67 ± " in table
    assert "takes 50 % on slow and 30 % on quick." in table
    assert "right in 1 minutes on 2 cores of quick" in minutes(tmp_path)


def test_a_way_is_said_with_what_each_of_its_phases_reached(tmp_path: Path) -> None:
    phases = [
        {"epochs": 0.9, "size": [112, 96], "frozen_stages": 0},
        {"epochs": 0.2, "size": [136, 112], "frozen_stages": 2},
    ]
    looks = [{"step": 1743, "accuracy": 91.14}, {"step": 2130, "accuracy": 90.67}]
    record = {
        "what": "laptop_ways",
        "runs": [{"phases": phases, "validation": looks, "rate": 0.001, "pooling": "mean"}],
    }
    (tmp_path / "one.json").write_text(json.dumps(record))
    row = "| 0.9 at 112 x 96, then 0.2 at 136 x 112 | 0, 2 | 0.001, mean | 91.14 (step 1,743) | 90.67 (step 2,130) |"
    assert ways(tmp_path).splitlines()[-1] == row
    record["runs"][0]["context"] = True
    (tmp_path / "one.json").write_text(json.dumps(record))
    assert "| 0.001, mean, all stages of the trunk |" in ways(tmp_path)
