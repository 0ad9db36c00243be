"""facelocus localise: numbers for each region, and one line where there is nothing to measure."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.cli import main
from facelocus.data import Pack, read_table
from facelocus.errors import DataError
from facelocus.reports.localisation.measure import measure_localisation
from faces import write_celeba
from small_model import SMALL, description, write_model


@pytest.fixture(scope="module")
def celeba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_celeba(tmp_path_factory.mktemp("drawn") / "celeba", 40)


def run(*words: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return int(end.value.code or 0)


def test_the_shipped_model_is_measured_region_by_region(
    celeba: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found.json"
    assert run("localise", celeba, "--faithful", 2, "--json", out) == 0
    found: dict[str, Any] = json.loads(out.read_text())
    assert list(found["regions"]) == list(CELEBA.regions)
    for row in found["regions"].values():
        mean, low, high = row["own less others"]
        assert low <= mean <= high and mean == pytest.approx(row["own"][0] - row["others"][0], abs=2e-4)
        assert 0 < row["area"] < 0.5 and 0 <= row["lowest"] <= row["mean"] <= row["highest"] <= 1
    mean_own = np.mean([row["own"][0] for row in found["regions"].values()])
    assert found["own"][0] == pytest.approx(mean_own, abs=2e-4)
    assert found["faithfulness"]["faces"] == 2 and 0 <= found["faithfulness"]["highest hidden"][0] <= 100
    text = capsys.readouterr().out
    assert "cheeks and ears" in text and "highest hidden" in text


def test_a_model_of_other_attributes_is_refused_in_one_line(
    celeba: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model(tmp_path / "small.onnx")
    assert run("localise", celeba, "--model", model) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_model_that_sees_a_part_of_the_frame_is_refused(
    celeba: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cropped = description(network={"size": [256, 256], "crop": [227, 227]})
    assert run("localise", celeba, "--model", write_model(tmp_path / "cropped.onnx", cropped)) == 2
    assert "cropped.onnx: sees the middle of the frame alone" in capsys.readouterr().err


def test_a_model_of_one_region_is_refused(celeba: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = description(AttributeSet.by_region({"whole face": SMALL.names}))
    assert run("localise", celeba, "--model", write_model(tmp_path / "one.onnx", one, regions=1)) == 2
    assert "one.onnx: has one region" in capsys.readouterr().err


def test_a_face_without_labels_of_a_region_counts_nothing_there(celeba: Path, tmp_path: Path) -> None:
    pack = Pack.build(read_table(celeba), tmp_path / "pack")
    rows, nose = pack.rows("test"), CELEBA.region_index == CELEBA.regions.index("nose")
    labels = pack.labels.copy()
    labels[np.ix_(rows[:1], nose)] = -1

    def measured(labels: npt.NDArray[np.int8]) -> dict[str, Any]:
        return measure_localisation(
            lambda frames: np.full((len(frames), len(CELEBA)), 0.9, np.float32),
            lambda frames: np.random.default_rng(0).random((len(frames), len(CELEBA.regions), 5, 4), np.float32),
            CELEBA,
            np.full(len(CELEBA), 0.5, np.float32),
            dataclasses.replace(pack, labels=labels),
            rows,
            faithful=3,
        )

    found = measured(labels)["faithfulness"]
    yes = 100 * (pack.labels[rows[1:3]][:, nose] == 1).mean()
    assert found["regions"]["nose"]["whole"][0] == pytest.approx(yes)
    assert "NaN" not in json.dumps(found)
    labels[np.ix_(rows[:3], nose)] = -1
    with pytest.raises(
        DataError, match="none of the 3 faces that would be hidden in parts has a label of the region nose"
    ):
        measured(labels)
