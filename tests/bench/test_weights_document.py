"""What documents say of the shipped files is of these files, on the same faces."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from documents import RESULTS
from documents.weights import AGREEMENT, attributes, sizes


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in ("default", "tiny"):
        shutil.copy(RESULTS / "weights" / f"{name}.json", tmp_path)
        for file in (RESULTS / "bench").glob(f"inference_{name}_cpu_*.json"):
            shutil.copy(file, tmp_path)
    return tmp_path


def change(file: Path, **fields: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_a_time_or_a_score_of_other_weights_does_not_stand_beside_them(copied: Path) -> None:
    assert sizes(copied, copied).count("`tiny`") == 1
    change(next(copied.glob("inference_tiny_*")), sha256="f00d")
    with pytest.raises(ValueError, match="a record of tiny is of other weights"):
        sizes(copied, copied)


def test_scores_on_other_faces_do_not_stand_side_by_side(copied: Path) -> None:
    change(copied / "tiny.json", images=12)
    with pytest.raises(ValueError, match="too many values"):
        sizes(copied, copied)


def test_labels_are_of_all_faces_and_scores_of_the_test_faces_among_them(tmp_path: Path) -> None:
    about, *_ = attributes().splitlines()
    faces = json.loads((RESULTS / "weights" / "default.json").read_text(encoding="utf-8"))["images"]
    assert f"on the test faces of the same data alone, {faces:,}; " in about
    assert "other faces" not in about
    other = tmp_path / "agreement.json"
    shutil.copy(AGREEMENT, other)
    change(other, data="other faces, 12 images")
    with pytest.raises(ValueError, match="too many values"):
        attributes(other)
