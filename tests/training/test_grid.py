"""A grid: every run once with its line, gone on with where it stopped, and counts that give the scores back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from facelocus.attributes import CELEBA
from facelocus.data import Pack, read_table
from facelocus.errors import DataError
from facelocus.training import grid as module
from facelocus.training.grid import Grid, run_grid, settings
from facelocus.training.recipe import Phase, Recipe
from faces import write_celeba


@pytest.fixture
def grid(recipe: Recipe) -> Grid:
    short = dataclasses.replace(recipe, phases=(Phase(iterations=2),))
    without = dataclasses.replace(short, network=dataclasses.replace(short.network, attention="none"))
    return Grid({"tiny/none": without, "tiny/pse_conv": short}, seeds=(0, 1))


def run(grid: Grid, pack: Pack, at: Path, **options: Any) -> int:
    return run_grid(
        grid, "drawn", pack, at / "runs", at / "results", device=torch.device("cpu"), progress=False, **options
    )


def lines(at: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (at / "results" / "runs.jsonl").read_text().splitlines()]


def test_every_run_has_one_line_and_a_second_start_adds_none(grid: Grid, pack: Pack, tmp_path: Path) -> None:
    assert run(grid, pack, tmp_path) == 4
    names = [line["run"] for line in lines(tmp_path)]
    assert names == ["drawn/tiny/none/0", "drawn/tiny/pse_conv/0", "drawn/tiny/none/1", "drawn/tiny/pse_conv/1"]
    before = lines(tmp_path)
    assert run(grid, pack, tmp_path) == 0
    assert lines(tmp_path) == before


def test_a_line_says_how_it_was_made(grid: Grid, pack: Pack, tmp_path: Path) -> None:
    run(grid, pack, tmp_path, only="pse")
    line = lines(tmp_path)[1]
    assert (line["grid"], line["name"], line["seed"], line["iterations"]) == ("drawn", "tiny/pse_conv", 1, 2)
    assert line["settings"] == json.loads(json.dumps(settings(grid.recipes["tiny/pse_conv"])))
    assert line["settings"]["network.trunk"] == "tiny" and "seed" not in line["settings"]
    assert line["data"]["fingerprint"] == pack.fingerprint and line["seconds"] >= 0


def test_only_some_of_it_and_later_the_rest(grid: Grid, pack: Pack, tmp_path: Path) -> None:
    assert run(grid, pack, tmp_path, only="none") == 2
    assert run(grid, pack, tmp_path) == 2
    assert sorted(line["run"] for line in lines(tmp_path))[::2] == ["drawn/tiny/none/0", "drawn/tiny/pse_conv/0"]


def test_only_one_seed(grid: Grid, pack: Pack, tmp_path: Path) -> None:
    assert run(grid, pack, tmp_path, only="none/1") == 1
    assert [line["run"] for line in lines(tmp_path)] == ["drawn/tiny/none/1"]


def test_a_run_that_was_trained_but_not_measured_is_measured_alone(
    grid: Grid, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "_measured", killed)
        run(grid, pack, tmp_path)
    weights = tmp_path / "runs" / "tiny" / "none" / "0" / "weights.safetensors"
    trained = weights.stat().st_mtime_ns
    assert not (tmp_path / "results" / "runs.jsonl").exists()
    run(grid, pack, tmp_path)
    assert weights.stat().st_mtime_ns == trained
    assert len(lines(tmp_path)) == 4


def test_the_counts_of_people_give_the_scores_back(grid: Grid, pack: Pack, tmp_path: Path) -> None:
    run(grid, pack, tmp_path, only="none")
    people = tmp_path / "results" / "people"
    for line in lines(tmp_path):
        labels = np.load(people / f"labels.{line['test']['labels']}.npz")["labels"].sum(1, dtype=float)
        right = np.load(people / f"{line['run'].replace('/', '.')}.npz")
        assert right["half"].dtype == np.uint16 and right["half"].shape[1] == line["test"]["people"]
        accuracy = 100 * right["half"].sum((0, 1)) / labels.sum(0)
        assert accuracy == pytest.approx(list(line["test"]["attributes"].values()), abs=1e-4)
        assert accuracy.mean() == pytest.approx(line["test"]["mean_accuracy_at_half"], abs=1e-4)
        with np.errstate(invalid="ignore"):
            balanced = (right["balanced"].sum(1) / labels).mean(0)
        assert 100 * np.nanmean(balanced) == pytest.approx(line["test"]["mean_balanced_accuracy"], abs=1e-4)
    assert list(line["test"]["attributes"]) == list(CELEBA.names)


def test_runs_on_other_test_faces_are_told_apart(grid: Grid, pack: Pack, tmp_path: Path) -> None:
    run(grid, pack, tmp_path, only="none")
    other = Pack.build(read_table(write_celeba(tmp_path / "celeba", 48)), tmp_path / "pack")
    run_grid(
        grid, "other", other, tmp_path / "others", tmp_path / "results", device=torch.device("cpu"), progress=False
    )
    labels = {line["grid"]: line["test"]["labels"] for line in lines(tmp_path)}
    assert labels["drawn"] != labels["other"]
    assert len(list((tmp_path / "results" / "people").glob("labels.*.npz"))) == 2


def test_data_without_a_label_of_an_attribute_are_refused_before_a_run(grid: Grid, pack: Pack, tmp_path: Path) -> None:
    labels = pack.labels.copy()
    labels[pack.rows("test"), 3] = -1
    with pytest.raises(DataError, match=f"no test face has a label of {pack.attributes.names[3]}"):
        run(grid, dataclasses.replace(pack, labels=labels), tmp_path)
    assert not (tmp_path / "runs").exists()


def test_data_without_people_is_refused(grid: Grid, pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a grid needs test faces with people"):
        run(grid, dataclasses.replace(pack, people=None), tmp_path)
