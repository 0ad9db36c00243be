"""What the H100's benchmark writes goes into the document as it is, and no variant pays for waiting for another."""

from __future__ import annotations

import importlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from documents.performance import h100, h100_kernels

fcntl = pytest.importorskip("fcntl")


@pytest.fixture
def measuring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import what measures, as h100.py starts it: it takes its arguments from the command line when it is imported."""
    monkeypatch.setattr(sys, "argv", ["h100_variants.py", str(tmp_path), "cpu", "2", "plain"])
    monkeypatch.setenv("H100_STARTED", str(time.time()))
    monkeypatch.setenv("H100_SECONDS", "600")
    for name in ("h100_measure", "h100_variants"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("h100_variants")


def test_fresh_records_stand_in_the_document(measuring: ModuleType, tmp_path: Path) -> None:
    still = SimpleNamespace(draw=lambda: None)
    measuring.ceilings()
    measuring.measure("way_fold", measuring.named({"fold"}), {"ours": lambda: time.sleep(0.001)}, still)
    for variant in ("ours_eager", "best"):
        measuring.profile(f"profile_{variant}", lambda: measuring.torch.ones(9).sum(), still)
    written = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in tmp_path.glob("*.json")}
    assert sorted(written) == ["ceilings", "profile_best", "profile_ours_eager", "way_fold"]
    assert {"precision", "rounds", "images_per_second_quartiles", "cudnn_benchmark"} <= written["way_fold"].keys()
    for name, record in written.items():
        on_a_card = record | {"device": "cuda", "device_name": "a card"}
        (tmp_path / f"{name}.json").write_text(json.dumps(on_a_card), encoding="utf-8")
    about, *_, row = h100(tmp_path).splitlines()
    assert about.startswith("a card, torch ") and ", batch 2; " in about
    assert row.startswith("| fold | ") and row.endswith(" % | not measured |")
    assert h100_kernels(tmp_path).startswith("| microseconds an image | package | best form |\n")


@pytest.fixture
def alarm() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError

    before, timer = signal.signal(signal.SIGALRM, stop), signal.getitimer(signal.ITIMER_REAL)
    yield
    signal.setitimer(signal.ITIMER_REAL, *timer)
    signal.signal(signal.SIGALRM, before)


def test_waiting_for_the_device_is_not_counted(measuring: ModuleType, alarm: None, tmp_path: Path) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        release = threading.Timer(0.6, lambda: fcntl.flock(held, fcntl.LOCK_UN))
        release.start()
        with measuring.alone():
            left, _ = signal.getitimer(signal.ITIMER_REAL)
        release.join()
    assert 0 < left <= 0.3
