"""A recipe is typed, refuses what it does not know, and every shipped one runs."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from facelocus.data import Pack
from facelocus.errors import DataError, RecipeError
from facelocus.model import shipped_models
from facelocus.recipes import load_recipe, recipe_names
from facelocus.training.batches import some_of
from facelocus.training.loop import train
from facelocus.training.recipe import Optimizer, Phase, Recipe, Schedule, differences
from facelocus.training.run import load_run
from facelocus.training.start import Start
from facelocus.training.teachers import Teachers


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_trains_a_step_of_each_phase(name: str, pack: Pack, run: Path) -> None:
    shipped = load_recipe(name)
    phases = tuple(dataclasses.replace(phase, epochs=0, iterations=1) for phase in shipped.phases)
    start = Start.read(shipped_models()["default"]) if shipped.transfer else None
    short = dataclasses.replace(start.adapt(shipped) if start else shipped, phases=phases, batch_size=4)
    teachers = Teachers.read([shipped_models()["default"]], pack.attributes) if shipped.teaching else None
    train(short, pack, run, name=name, device=torch.device("cpu"), start=start, teachers=teachers, progress=False)
    assert load_run(run).name == name
    steps = {json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()}
    assert max(steps) == len(phases)


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_survives_json(name: str) -> None:
    shipped = load_recipe(name)
    assert Recipe.from_json(json.loads(json.dumps(shipped.to_json()))) == shipped


def test_a_recipe_written_before_a_field_existed_has_its_default() -> None:
    recipe = Recipe(phases=(Phase(epochs=2.0),))
    older = recipe.to_json()
    del older["transfer"], older["augment"]["sharpness"], older["phases"][0]["frozen"]
    read = Recipe.from_json(older)
    assert read == recipe and read.to_json() == recipe.to_json()
    assert differences(read, Recipe()) == differences(recipe, Recipe())


def test_settings_change_what_they_name_and_nothing_else() -> None:
    changed = Recipe().with_settings(
        [
            "seed=3",
            "network.size=[64, 48]",
            "network.crop=null",
            "network.trunk=resnet18",
            "network.imagenet=true",
            "optimizer.rate=1e-4",
            "schedule.kind=poly",
            'phases=[{"epochs": 0.5, "size": [32, 24]}, {"iterations": 7}]',
            "leave_out=photographs_300.txt",
        ]
    )
    assert changed == dataclasses.replace(
        Recipe(),
        seed=3,
        network=dataclasses.replace(Recipe().network, size=(64, 48), trunk="resnet18", imagenet=True),
        optimizer=Optimizer(rate=1e-4),
        schedule=Schedule(kind="poly"),
        phases=(Phase(epochs=0.5, size=(32, 24)), Phase(iterations=7)),
        leave_out="photographs_300.txt",
    )
    assert Recipe().with_settings([]) == Recipe()


def test_the_last_of_equal_settings_counts() -> None:
    assert Recipe().with_settings(["seed=3", "seed=4"]).seed == 4


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("seed", "setting 'seed' has no value: write key=value"),
        ("sede=1", "unknown recipe key 'sede': did you mean 'seed'?"),
        ("network.chanels=64", "unknown recipe key 'network.chanels': did you mean 'network.channels'?"),
        ("chanels=64", "unknown recipe key 'chanels': did you mean 'network.channels'?"),
        ("optimizer=3", "unknown recipe key 'optimizer'"),
        ("xyz=3", "unknown recipe key 'xyz': known are network.trunk, "),
        ("=3", "unknown recipe key ''"),
        ('phases=[{"epoch": 1}]', "unknown recipe key 'phases.epoch': did you mean 'phases.epochs'?"),
        ("seed=-1", "Expected `int` >= 0 - at `$.seed`"),
        (f"seed={2**63}", "Expected `int` <= 9223372036854775807"),
        ("seed=1.5", "Expected `int`, got `float` - at `$.seed`"),
        ("batch_size=many", "Expected `int`, got `str` - at `$.batch_size`"),
        ("batch_size=1", "Expected `int` >= 2 - at `$.batch_size`"),
        ("network.channels=0", "Expected `int` >= 1 - at `$.network.channels`"),
        ("network.size=64", "Expected `array`, got `int` - at `$.network.size`"),
        ("network.size=[64, 0]", "Expected `int` >= 1 - at `$.network.size[1]`"),
        ("phases=3", "got `int` - at `$.phases`"),
        ("phases=[3]", "got `int` - at `$.phases[0]`"),
        ("precision=fp16", "Invalid enum value 'fp16' - at `$.precision`"),
        ("ema=-1", "Expected `float` >= 0.0 - at `$.ema`"),
        ("schedule.warmup=5", "Expected `float` <= 1.0 - at `$.schedule.warmup`"),
        ("optimizer.rate=-1", "Expected `float` >= 0.0 - at `$.optimizer.rate`"),
        ("augment.compression=50", "Expected `float` <= 1.0 - at `$.augment.compression`"),
        ("augment.noise=-3", "Expected `float` >= 0.0 - at `$.augment.noise`"),
        ("optimizer.kind=lamb", "Invalid enum value 'lamb' - at `$.optimizer.kind`"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line(setting: str, words: str) -> None:
    with pytest.raises(RecipeError) as refused:
        Recipe().with_settings([setting])
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2


def test_json_with_an_unknown_key_is_refused_with_the_nearest() -> None:
    value = Recipe().to_json()
    value["optimizer"]["weight_dacay"] = 0.1
    with pytest.raises(RecipeError, match=r"'optimizer\.weight_dacay': did you mean 'optimizer\.weight_decay'"):
        Recipe.from_json(value)
    with pytest.raises(RecipeError, match=r"\$\.network"):
        Recipe.from_json({"network": 3})


def test_an_unknown_recipe_is_refused_with_the_nearest() -> None:
    assert "default" in recipe_names()
    with pytest.raises(RecipeError, match=r"unknown recipe 'defualt': did you mean 'default'\?"):
        load_recipe("defualt")


def test_left_out_names_come_from_the_list_in_the_package() -> None:
    names = load_recipe("default").left_out_names()
    assert len(names) == 300
    assert all(name.endswith(".jpg") for name in names)
    assert Recipe().left_out_names() == frozenset()
    with pytest.raises(RecipeError, match=r"leave_out: there is no list 'nobody\.txt'"):
        Recipe(leave_out="nobody.txt").left_out_names()


def test_left_out_faces_are_not_trained_on(
    recipe: Recipe, pack: Pack, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_names = [pack.names[row] for row in pack.rows("train")]
    monkeypatch.setattr(Recipe, "left_out_names", lambda _: frozenset(train_names[5:]))
    with pytest.raises(Exception, match="5 training images do not fill one batch of 6"):
        train(recipe, pack, run, name="tiny", device=torch.device("cpu"), progress=False)


def test_a_share_is_the_same_for_every_seed_and_lies_within_a_larger_one() -> None:
    rows = np.arange(100, 1100, dtype=np.int64)
    quarter, half = some_of(rows, 0.25), some_of(rows, 0.5)
    assert (len(quarter), len(half)) == (250, 500)
    assert set(quarter) < set(half) < set(rows)
    assert np.array_equal(quarter, np.sort(quarter)) and np.array_equal(quarter, some_of(rows, 0.25))
    assert abs(quarter.mean() - rows.mean()) < 50  # spread over all of them, not the first ones; 2.8 deviations
    assert np.array_equal(some_of(rows, 1.0), rows)


def test_a_share_of_the_faces_is_trained_on(recipe: Recipe, pack: Pack, run: Path) -> None:
    images = len(pack.rows("train"))
    share = dataclasses.replace(recipe, share=0.5)
    with pytest.raises(DataError, match=f"{round(images / 2)} training images do not fill"):
        train(
            dataclasses.replace(share, batch_size=images),
            pack,
            run,
            name="tiny",
            device=torch.device("cpu"),
            progress=False,
        )


def test_differences_name_key_and_both_values() -> None:
    other = Recipe().with_settings(["seed=2", "network.size=[64, 48]"])
    assert differences(Recipe(), Recipe()) == []
    assert differences(Recipe(), other) == ["network.size: (218, 178), (64, 48)", "seed: 0, 2"]


def factors(schedule: Schedule, steps: int, steps_an_epoch: int = 1) -> list[float]:
    return [schedule.factor(step, steps, steps_an_epoch) for step in range(steps)]


def test_cosine_falls_from_one_to_nearly_zero() -> None:
    values = factors(Schedule("cosine"), 100)
    assert values[0] == 1
    assert values[50] == pytest.approx(0.5)
    assert 0 < values[-1] < 0.001
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_poly_is_caffes(power: float) -> None:
    assert factors(Schedule("poly", power=power), 40) == pytest.approx([(1 - t / 40) ** power for t in range(40)])


def test_step_is_caffes_and_counts_iterations_epochs_or_both() -> None:
    assert factors(Schedule("step", gamma=0.5, every=3), 8) == pytest.approx([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25])
    by_epoch = factors(Schedule("step", every_epochs=1.5), 8, steps_an_epoch=2)
    assert by_epoch == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])
    both = factors(Schedule("step", every=4, every_epochs=1.5), 8, steps_an_epoch=2)
    assert both == pytest.approx([1, 1, 1, 0.1, 0.01, 0.01, 0.001, 0.001])
    assert factors(Schedule("step"), 8) == [1] * 8


@pytest.mark.parametrize("kind", ["cosine", "poly"])
def test_warmup_climbs_in_its_share_of_the_steps(kind: str) -> None:
    values = factors(Schedule(kind, warmup=0.2), 50)  # type: ignore[arg-type]
    assert values[:10] == pytest.approx([0.1 * step for step in range(1, 11)])
    assert values[10] == 1
    assert values[10:] == sorted(values[10:], reverse=True) and values[-1] < 0.05


def test_pairs_may_be_written_with_a_comma_alone() -> None:
    assert Recipe().with_settings(["network.size=192,160"]).network.size == (192, 160)
    assert Recipe().with_settings(["network.size=[192, 160]"]).network.size == (192, 160)
