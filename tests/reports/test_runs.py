"""What a run folder tells: state, best figures, differences; and what is wrong with a broken one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from filelock import FileLock

from facelocus.errors import InputError
from facelocus.nn.network import NetworkSpec
from facelocus.reports.between import between
from facelocus.reports.runs import BrokenRun, Run, read_runs
from facelocus.training.recipe import Recipe
from run_folders import STEPS, write_run


def only(folder: Path) -> Run:
    (run,), broken = read_runs(folder)
    assert not broken
    return run


def broken_one(folder: Path) -> BrokenRun:
    runs, (broken,) = read_runs(folder)
    assert not runs
    return broken


def test_a_finished_run_has_its_best_figures_with_their_epoch_and_its_speed(tmp_path: Path) -> None:
    write_run(tmp_path / "a", kept=40)
    run = only(tmp_path)
    assert (run.name, run.state, run.step, run.steps) == ("a", "finished", STEPS, STEPS)
    best = run.best("mean_accuracy")
    assert best is not None
    assert (best.value, best.step, best.epoch) == (84.0, 40, 4.0)
    assert run.losses[-1]["loss"] == 4.0
    assert (run.seconds, run.speed) == (100.0, STEPS * 64 / 100)


def test_a_stopped_run_stands_where_its_checkpoint_is(tmp_path: Path) -> None:
    write_run(tmp_path / "a", steps=35, kept=30, finished=False)
    run = only(tmp_path)
    assert (run.state, run.step, run.seconds, run.speed) == ("stopped", 30, 60.0, 32.0)


def test_a_run_is_running_while_its_lock_is_held_and_stands_where_its_lines_are(tmp_path: Path) -> None:
    write_run(tmp_path / "a", steps=35, kept=30, finished=False)
    with FileLock(tmp_path / "a" / ".lock"):
        run = only(tmp_path)
    assert (run.state, run.step) == ("running", 35)
    assert (tmp_path / "a" / ".lock").exists()
    assert only(tmp_path).state == "stopped"


def test_looking_leaves_a_run_without_a_lock_as_it_was(tmp_path: Path) -> None:
    write_run(tmp_path / "a", steps=35, kept=30, finished=False)
    before = sorted((tmp_path / "a").iterdir())
    only(tmp_path)
    assert sorted((tmp_path / "a").iterdir()) == before


def test_a_run_that_ended_with_an_error_says_which(tmp_path: Path) -> None:
    write_run(tmp_path / "a", steps=35, kept=30, finished=False, last={"step": 37, "error": "the loss is no number"})
    run = only(tmp_path)
    assert (run.state, run.error, run.step) == ("failed", "the loss is no number", 30)


def test_a_published_run_without_its_weights_is_finished_and_one_killed_in_writing_them_is_not(tmp_path: Path) -> None:
    write_run(tmp_path / "published")
    write_run(tmp_path / "killed", kept=STEPS, day=2)
    for folder in tmp_path.iterdir():
        (folder / "weights.safetensors").unlink()
    assert [run.state for run in read_runs(tmp_path)[0]] == ["finished", "stopped"]


def test_a_run_that_has_only_begun_has_no_figures(tmp_path: Path) -> None:
    write_run(tmp_path / "a", steps=0, finished=False)
    run = only(tmp_path)
    assert (run.state, run.step, run.best("mean_accuracy"), run.seconds, run.speed) == ("stopped", 0, None, None, None)


def test_a_line_that_is_being_written_is_not_read_and_nan_is_no_best_figure(tmp_path: Path) -> None:
    scores = {"mean_accuracy": float("nan"), "mean_balanced_accuracy": 99.0}
    write_run(tmp_path / "a", steps=10, last={"step": 20, "validation": scores})
    with (tmp_path / "a" / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 2')
    run = only(tmp_path)
    best, balanced = run.best("mean_accuracy"), run.best("mean_balanced_accuracy")
    assert best is not None
    assert balanced is not None
    assert (best.value, balanced.value, balanced.epoch) == (81.0, 99.0, 2.0)
    json.dumps(run.to_json(), allow_nan=False)


def test_runs_are_found_some_levels_below_the_newest_last(tmp_path: Path) -> None:
    write_run(tmp_path / "new", day=3)
    write_run(tmp_path / "sweep" / "seeds" / "old", day=1)
    write_run(tmp_path / "sweep" / "middle", day=2)
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / ".hidden", day=2)
    write_run(tmp_path / "a" / "b" / "c" / "too-deep", day=2)
    assert [run.name for run in read_runs(tmp_path)[0]] == ["sweep/seeds/old", "sweep/middle", "new"]


def test_a_run_folder_itself_is_named_by_its_last_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "a")
    monkeypatch.chdir(tmp_path / "a")
    assert only(Path()).name == "a"


def test_a_run_differs_from_its_named_recipe_or_else_from_the_defaults(tmp_path: Path) -> None:
    write_run(tmp_path / "a", settings=("optimizer.rate=0.5", "network.size=64,48"))
    assert only(tmp_path / "a").against() == (
        "default",
        {"optimizer.rate": (0.5, 0.002), "network.size": ((64, 48), (218, 178))},
    )
    write_run(tmp_path / "b", name="mine", recipe=Recipe(network=NetworkSpec(), seed=7))
    assert only(tmp_path / "b").against() == (None, {"seed": (7, 0)})


def test_what_differs_between_runs_is_each_value_with_its_runs(tmp_path: Path) -> None:
    first = write_run(tmp_path / "a", day=1)
    write_run(tmp_path / "b", day=2, settings=("seed=3",), start=first)
    write_run(tmp_path / "c", day=3, settings=("seed=3",), start=first)
    runs, _ = read_runs(tmp_path)
    found = {key: [(value, [run.name for run in having]) for value, having in values]
             for key, values in between(runs).items()}  # fmt: skip
    assert found == {
        "from": [("default of 2026-11-01", ["b", "c"]), (None, ["a"])],
        "seed": [(3, ["b", "c"]), (0, ["a"])],
    }
    assert between(runs[:1]) == between([]) == {}


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("recipe.json", None, "recipe.json: is missing: run its command again"),
        ("record.json", None, "record.json: is missing"),
        ("recipe.json", "{", "recipe.json: is damaged, not JSON"),
        ("recipe.json", "[]", "recipe.json: is damaged, no JSON object"),
        ("recipe.json", '{"sede": 1}', "unknown recipe key 'sede': did you mean 'seed'?"),
        ("record.json", "{}", "record.json: is not the record of a run, data is missing"),
        ("record.json", '{"date": "", "recipe": "", "data": null}', "the record of a run, description is missing"),
        ("metrics.jsonl", '{"step": 1}\nhm\n', "metrics.jsonl: line 2 is damaged"),
        ("metrics.jsonl", '{"loss": 1}\n', "metrics.jsonl: line 1 is damaged"),
        ("checkpoint.safetensors", "no tensors", "checkpoint.safetensors: is damaged"),
    ],
)
def test_a_broken_run_says_in_one_line_what_is_wrong_and_the_others_are_listed(
    tmp_path: Path, file: str, content: str | None, says: str
) -> None:
    write_run(tmp_path / "runs" / "bad", finished=False)
    place = tmp_path / "runs" / "bad" / file
    place.unlink(missing_ok=True)
    if content is not None:
        place.write_text(content)
    broken = broken_one(tmp_path / "runs")
    assert broken.name == "bad"
    assert says in broken.error
    assert "\n" not in broken.error
    write_run(tmp_path / "runs" / "good")
    runs, bad = read_runs(tmp_path / "runs")
    assert [run.name for run in runs] == ["good"]
    assert [run.name for run in bad] == ["bad"]


def test_a_recipe_too_large_for_its_images_is_a_broken_run(tmp_path: Path) -> None:
    write_run(tmp_path / "a", settings=("batch_size=641",))
    assert "do not fill one batch" in broken_one(tmp_path).error


def test_no_folder_and_no_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        read_runs(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no run"):
        read_runs(tmp_path)


def test_a_recipe_written_before_a_setting_existed_has_its_default(tmp_path: Path) -> None:
    write_run(tmp_path / "new", day=1)
    write_run(tmp_path / "old", day=2)
    recipe = json.loads((tmp_path / "old" / "recipe.json").read_text())
    del recipe["augment"]["sharpness"]
    for phase in recipe["phases"]:
        del phase["frozen"]
    (tmp_path / "old" / "recipe.json").write_text(json.dumps(recipe))
    runs, _ = read_runs(tmp_path)
    assert [run.against() for run in runs] == [("default", {})] * 2
    assert between(runs) == {}
