"""Records are written whole, into folders that need not be there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facelocus.errors import StorageError
from facelocus.files import write_record


def test_a_record_makes_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "results" / "bench" / "step.json"
    write_record(file, {"images_per_second": [1, 2.5]})
    assert json.loads(file.read_text()) == {"images_per_second": [1, 2.5]}
    assert [file] == list(file.parent.iterdir())


def test_a_record_that_is_none_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "step.json"
    write_record(file, {"seed": 0})
    with pytest.raises(TypeError):
        write_record(file, {"seed": object()})
    assert json.loads(file.read_text()) == {"seed": 0}


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(StorageError, match=r"results: cannot be made \(File exists\)"):
        write_record(tmp_path / "results" / "step.json", {})
