"""What docs/model-card.md says of worse pictures is what the record has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from documents.robustness import LAPTOP, LEVELS, NONE, SHIPPED, robustness


def test_each_way_has_two_levels_and_each_region_its_own_attributes(tmp_path: Path) -> None:
    def point(balanced: float) -> dict[str, list[float]]:
        return {"balanced accuracy": [balanced, balanced - 1, balanced + 1], "lead of the first": [-0.04, -0.5, 1.0]}

    def curves(balanced: float) -> dict[str, Any]:
        hidden = point(balanced) | {"of its attributes": [61.0, 60, 62], "of the others": [87.04, 86, 88]}
        ways = {way: dict.fromkeys(levels, point(balanced)) for way, levels in LEVELS.items()}
        return ways | {"as they are": {"as they are": point(88.15)}, "hidden region": {"hair": hidden}}

    record = {
        "faces": 1000,
        "people": 400,
        "ways": {way: {"unit": "units"} for way in LEVELS},
        "models": {SHIPPED: curves(80.0), NONE: curves(70.0), LAPTOP: {"model": {"commit": "a1b2c3d4e5f6"}}},
    }
    (tmp_path / "one.json").write_text(json.dumps(record))
    lines = robustness(tmp_path / "one.json").splitlines()
    assert "on 1,000 test faces of 400 people; as they are 88.2" in lines[0]
    assert "trained by `laptop` as of commit a1b2c3d4e5f6" in lines[0]
    assert lines[4] == "| JPEG, units | 40 | 80.0 | +0.0 (-0.5 to +1.0) | 5 | 80.0 | +0.0 (-0.5 to +1.0) |"
    assert lines[-1] == "| hair | 61.0 | 87.0 | +0.0 (-0.5 to +1.0) |"
