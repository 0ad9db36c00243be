"""What the record of trust is measured against: test faces' own commonest answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")

import quality
from degraded import KINDS


def made_up(*_: object) -> quality.Faces:
    """Three faces of every kind, good for what the record is made of."""
    random, kinds = np.random.default_rng(0), np.repeat(np.arange(-1, len(KINDS)), 3)
    sharp, others = random.uniform(0.1, 1, len(kinds)), np.tile([2.0, 0.4, 0.2, 0.0, 1.0], (len(kinds), 1))
    return quality.Faces(
        kind=kinds,
        people=np.arange(len(kinds)),
        measured=np.column_stack([sharp, others]),
        accuracy=random.uniform(0.7, 0.95, len(kinds)),
        confidence=random.uniform(0.1, 0.9, len(kinds)),
    )


def test_kept_is_counted_from_the_commonest_answers_to_test_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every answer to the first four faces, validation's, is no; half of those to test's are yes.
    labels = np.repeat(np.array([0, 0, 0, 0, 1, 1, 0, 0], np.int8)[:, None], 40, axis=1)
    rows = {"validation": np.arange(4), "test": np.arange(4, 8)}
    monkeypatch.setattr(quality, "open_pack", lambda _: SimpleNamespace(labels=labels, rows=rows.__getitem__))
    monkeypatch.setattr(quality, "Model", SimpleNamespace(load=lambda _: SimpleNamespace(sha256="f00d")))
    monkeypatch.setattr(quality, "copies", made_up)
    monkeypatch.setattr(quality, "photographs", made_up)
    monkeypatch.setattr(quality, "draw", lambda *_: None)
    out = tmp_path / "quality.json"
    monkeypatch.setattr(sys, "argv", ["quality.py", "DATA", "WILD", "--json", str(out), "--picture", "none.png"])
    quality.main()
    record = json.loads(out.read_text(encoding="utf-8"))
    assert record["accuracy of the commonest answers"] == 50
    good = record["by kind"]["as they are"]["accuracy"][0]
    for row in record["by kind"].values():
        assert row["kept"] == pytest.approx((row["accuracy"][0] - 50) / (good - 50), abs=0.002)
