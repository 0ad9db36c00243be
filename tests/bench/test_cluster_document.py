"""A rate on a cluster counts the photographs whose time it counts, and no others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from documents.cluster import RATES, rates
from facelocus.photos.request import Request


def told(folder: Path, **fields: Any) -> str:
    """Return what the document says of the record with some fields changed; those that are None left out."""
    found = json.loads(RATES.read_text(encoding="utf-8")) | fields
    file = folder / "rates.json"
    file.write_text(json.dumps({key: value for key, value in found.items() if value is not None}), encoding="utf-8")
    return rates(file)


def test_the_photographs_of_a_run_that_is_taken_off_are_taken_off_too(tmp_path: Path) -> None:
    few = "photographs of the small run"
    fields = {
        "photographs": 32,
        "photographs_per_second": {"on Ray": {"median": 40.0}, "local": {"median": 80.0}},
        "start of a run on Ray, seconds": {"median": 5.0},
    }
    assert ": 30 a second on Ray, 60 in the local form." in told(tmp_path, **fields | {few: None})
    text = told(tmp_path, **fields | {few: 4})
    assert ": 40 a second on Ray, 80 in the local form." in text
    assert "a run of 4 photographs on it 5 s." in text


def test_a_fresh_record_leaves_them_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for needed in ("ray", "pyarrow"):
        pytest.importorskip(needed)
    import cluster_rates

    took = {"many": 3.0, "few": 1.0}
    monkeypatch.setattr(cluster_rates, "written", lambda place, *_: place)
    monkeypatch.setattr(cluster_rates, "local", lambda folder, *_: took[folder.name])
    monkeypatch.setattr(cluster_rates, "on_ray", lambda folder, *_: 2 * took[folder.name])
    monkeypatch.setattr(cluster_rates, "local_table", lambda folder, *_: (int(took[folder.name]), 1000))
    monkeypatch.setattr(Request, "of", lambda *_: None)
    record = cluster_rates.measured(tmp_path, tmp_path / "lfw.zip", 40)
    rate = {form: spread["median"] for form, spread in record["photographs_per_second"].items()}
    assert rate == {"local": (40 - cluster_rates.FEW) / 2, "on Ray": (40 - cluster_rates.FEW) / 4}
    assert record["photographs of the small run"] == cluster_rates.FEW
