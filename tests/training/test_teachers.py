"""A run may learn from the answers of other networks, and its record says of which."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from facelocus.attributes import AttributeSet
from facelocus.data import Pack
from facelocus.errors import RecipeError, UsageError
from facelocus.training import teachers
from facelocus.training.loop import attribute_losses, taught_losses
from facelocus.training.recipe import Augment, Phase, Recipe
from facelocus.training.run import load_run
from facelocus.training.teachers import Teachers
from short_runs import results, stop_in_step, train


@pytest.fixture
def teacher(recipe: Recipe, pack: Pack, tmp_path: Path) -> Path:
    train(dataclasses.replace(recipe, seed=7), pack, tmp_path / "teacher")
    return tmp_path / "teacher"


def test_the_loss_is_a_mixture_and_unknown_labels_are_taught() -> None:
    torch.manual_seed(0)
    logits, answers = torch.randn(5, 3), torch.rand(5, 3)
    labels = torch.tensor([[0, 1, -1]] * 5, dtype=torch.int8)
    assert torch.equal(taught_losses(logits, labels, answers, 0.0), attribute_losses(logits, labels))
    to_answers = F.binary_cross_entropy_with_logits(logits, answers, reduction="none").sum(0)
    torch.testing.assert_close(taught_losses(logits, labels, answers, 1.0), to_answers)
    half = taught_losses(logits, labels, answers, 0.5)
    torch.testing.assert_close(half, 0.5 * (attribute_losses(logits, labels) + to_answers))
    assert half[2] > 0


def test_two_teachers_answer_with_the_mean_of_what_each_would_say(
    recipe: Recipe, pack: Pack, teacher: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    train(dataclasses.replace(recipe, seed=8), pack, other)
    faces = pack.frames(pack.rows("test"))
    answers = Teachers.read([teacher, other], pack.attributes)(torch.from_numpy(faces).permute(0, 3, 1, 2).float())
    apart = [load_run(run).predict(faces).probabilities for run in (teacher, other)]
    torch.testing.assert_close(answers, torch.from_numpy((apart[0] + apart[1]) / 2))


def test_at_the_teachers_own_answers_the_loss_has_no_slope(pack: Pack, teacher: Path) -> None:
    network = load_run(teacher).network.eval()
    faces = torch.from_numpy(pack.frames(pack.rows("train")[:6])).permute(0, 3, 1, 2).float()
    answers = Teachers.read([teacher], pack.attributes)(faces)
    taught_losses(network(faces), torch.zeros(6, 40, dtype=torch.int8), answers, 1.0).sum().backward()
    assert all(value.grad is None or value.grad.abs().max() < 1e-3 for value in network.parameters())


def test_the_record_names_the_teachers_and_a_resumed_run_equals_an_uninterrupted_one(
    recipe: Recipe, pack: Pack, teacher: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(recipe, teaching=0.5)
    whole = tmp_path / "whole"
    train(recipe, pack, whole, teacher)
    assert load_run(whole).metadata["training"]["teachers"] == [load_run(teacher).metadata["training"]]
    stop_in_step(4, monkeypatch, recipe, pack, run, teacher)
    train(recipe, pack, run, teacher)
    assert results(run) == results(whole)
    train(dataclasses.replace(recipe, teaching=0.0), pack, tmp_path / "alone")
    assert results(tmp_path / "alone")["tensors"] != results(whole)["tensors"]


def test_asked_once_is_asked_about_faces_as_they_are_and_not_again_after_a_stop(
    recipe: Recipe, pack: Pack, teacher: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(recipe, teaching=0.5, teaching_once=True, precision="fp32")
    whole = tmp_path / "whole"
    train(recipe, pack, whole, teacher)
    faces, said = pack.frames(pack.rows("train")), np.load(whole / "answers.npy")
    expected = load_run(teacher).predict(faces, flip=recipe.augment.flip > 0).probabilities
    np.testing.assert_allclose(said, expected, atol=5e-4)
    stop_in_step(4, monkeypatch, recipe, pack, run, teacher)
    monkeypatch.setattr(teachers, "RunModel", lambda *_, **__: pytest.fail("asked again"))
    train(recipe, pack, run, teacher)
    assert results(run) == results(whole)


def test_of_faces_as_they_are_once_is_as_good_as_always(recipe: Recipe, pack: Pack, teacher: Path, run: Path) -> None:
    always = dataclasses.replace(recipe, teaching=1.0, precision="fp32", ema=0.0, augment=Augment(flip=0))
    runs = {"always": always, "once": dataclasses.replace(always, teaching_once=True)}
    runs["untaught"] = dataclasses.replace(always, teaching=0.0)
    said = {}
    for name, its in runs.items():
        train(its, pack, run / name, *(() if name == "untaught" else (teacher,)))
        said[name] = load_run(run / name).predict_rows(pack, pack.rows("train"))
    apart = {name: np.abs(values - said["always"]).max() for name, values in said.items()}
    assert apart["once"] < 0.1 * apart["untaught"]  # answers and weights are kept in half precision


def test_asked_once_they_also_teach_over_a_frozen_trunk(recipe: Recipe, pack: Pack, teacher: Path, run: Path) -> None:
    frozen = dataclasses.replace(recipe, teaching=1.0, teaching_once=True, phases=(Phase(iterations=9, frozen=True),))
    train(frozen, pack, run / "taught", teacher)
    train(dataclasses.replace(frozen, teaching=0.0, teaching_once=False), pack, run / "alone")
    tensors = [load_run(run / name).network.state_dict() for name in ("taught", "alone")]
    same = {name for name, value in tensors[0].items() if torch.equal(value, tensors[1][name])}
    assert {name for name in tensors[0] if name.startswith("trunk.")} <= same < set(tensors[0])


def test_another_teacher_in_the_same_folder_is_refused(
    recipe: Recipe, pack: Pack, teacher: Path, run: Path, tmp_path: Path
) -> None:
    recipe = dataclasses.replace(recipe, teaching=0.5)
    train(recipe, pack, run, teacher)
    other = tmp_path / "other"
    train(dataclasses.replace(recipe, teaching=0.0, seed=9), pack, other)
    with pytest.raises(UsageError, match="holds a run with other teachers: give the same --teacher"):
        train(recipe, pack, run, other)


def test_teaching_that_cannot_be_is_refused(recipe: Recipe, pack: Pack, teacher: Path, run: Path) -> None:
    with pytest.raises(RecipeError, match="this recipe is taught: give --teacher RUN, or set teaching=0"):
        train(dataclasses.replace(recipe, teaching=0.5), pack, run)
    with pytest.raises(RecipeError, match="this recipe is not taught"):
        train(recipe, pack, run, teacher)
    frozen = dataclasses.replace(recipe, teaching=0.5, phases=(Phase(iterations=2, frozen=True),))
    with pytest.raises(RecipeError, match="a frozen phase has only features"):
        train(frozen, pack, run, teacher)
    with pytest.raises(RecipeError, match="teaching_once: this recipe is not taught"):
        train(dataclasses.replace(recipe, teaching_once=True), pack, run)
    with pytest.raises(UsageError, match=r"teacher: teaches other attributes than the data has"):
        Teachers.read([teacher], AttributeSet(("kind",), ("face",), ("face",)))
    assert not run.exists()
