"""The page of localisation: the same from the same records, whole without some, refused with damaged ones."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from facelocus.cli import main
from facelocus.errors import InputError
from facelocus.grids.localisation_controls_small import GRID as CONTROLS
from facelocus.grids.localisation_small import GRID
from facelocus.reports.localisation.records import read_records
from facelocus.reports.localisation.report import write_report
from facelocus.reports.localisation.runs import CONDITIONS, VARIANTS
from facelocus.training.grid import settings
from localisation_records import CONTROLS as CONTROLS_NAME
from localisation_records import GRID as NAME
from localisation_records import TRUNK, look, whole_grid, write_looks, write_measurements
from paper_records import Drawn

FILES = ["report.md", "regions.png", "variants.png", "free.png", "training.png"]
Line = dict[str, Any]


@pytest.fixture(scope="module")
def grid() -> tuple[Drawn, list[Line]]:
    return whole_grid()


@pytest.fixture(scope="module")
def written(grid: tuple[Drawn, list[Line]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    drawn, looks = grid
    folder = drawn.write(tmp_path_factory.mktemp("records"))
    write_looks(folder, looks)
    write_measurements(folder)
    assert [file.name for file in write_report(folder)] == FILES
    return folder


def page(folder: Path) -> str:
    return (folder / "report.md").read_text(encoding="utf-8")


def section(folder: Path, title: str) -> str:
    """Return what stands below a heading."""
    (found,) = re.findall(rf"^## {re.escape(title)}.*?\n(.*?)(?=^## |\Z)", page(folder), re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_variants_are_those_of_the_grid_and_may_be_compared(tmp_path: Path) -> None:
    assert {name.split("/")[1] for name in GRID.recipes} == set(VARIANTS)
    drawn = Drawn()
    for name, recipe in GRID.recipes.items():
        drawn.add(NAME, TRUNK, name.split("/")[1], 0, gain=0)
        drawn.lines[-1]["settings"] = settings(recipe)
    assert {name.split("/")[2] for name in CONTROLS.recipes} == set(CONDITIONS)
    for name, recipe in CONTROLS.recipes.items():
        _, variant, condition = name.split("/")
        drawn.add(CONTROLS_NAME, TRUNK, variant, 0, gain=0, tail=f"/{condition}")
        drawn.lines[-1]["settings"] = settings(recipe)
    assert len(read_records(drawn.write(tmp_path)).runs) == len(VARIANTS) + 3 * len(CONDITIONS)


def test_the_same_records_in_any_order_give_the_same_bytes(
    grid: tuple[Drawn, list[Line]], written: Path, tmp_path: Path
) -> None:
    drawn, looks = grid
    folder = drawn.write(tmp_path, random.Random(0).sample(drawn.lines, len(drawn.lines)))
    write_looks(folder, random.Random(0).sample(looks, len(looks)))
    write_measurements(folder)
    for file in write_report(folder):
        assert file.read_bytes() == (written / file.name).read_bytes(), file.name


def test_a_figure_says_nothing_of_when_and_by_what_it_was_made(written: Path) -> None:
    for file in written.glob("*.png"):
        with Image.open(file) as picture:
            assert set(picture.info) <= {"dpi"}


def test_it_begins_with_an_answer_to_each_question_and_names_the_runs(
    grid: tuple[Drawn, list[Line]], written: Path
) -> None:
    text = section(written, "Verdicts")
    answers = dict(re.findall(r"^\| (.*?) \| \*\*(.*?)\*\* \|$", text, re.MULTILINE))
    assert list(answers.values()) == [
        *["yes"] * 4, "no", "no gain is shown that needs explaining", "yes: penalty for leaving the region", "yes",
        "in part",
    ]  # fmt: skip
    assert "so its score is obedience; of the others the best is “softmax over positions” (`pse_softmax`)" in text
    named = re.findall(rf"`({NAME}/[^`{{]+)\{{([\d,]+)\}}`", text)
    runs = {line["run"] for line in grid[0].lines}
    assert named and {name + seed for name, seeds in named for seed in seeds.split(",")} <= runs


def test_every_variant_is_set_against_both_controls_and_judged_by_each_rule(written: Path) -> None:
    text = section(written, "Variants")
    for variant in VARIANTS.values():
        assert text.count(f"| {variant.words} |") >= 3
    assert "| sharper sigmoid | yes | no | yes | **no** |" in text
    assert "| 1 + mask | no | not shown | yes | **no** |" in text
    assert "| softmax over positions | yes | yes | yes | **yes** |" in text


def test_each_condition_is_compared_within_itself(grid: tuple[Drawn, list[Line]], written: Path) -> None:
    text = section(written, "Rate, scale and pooling")
    for words in ("as in the grid", *CONDITIONS.values()):
        assert text.count(f"| {words} |") == 2
    # Accuracy begins half a point lower in every condition, which no difference within one may show.
    levels = {row.split(" | ")[0]: row.split(" | ") for row in text.splitlines() if " | 1 | 8" in row}
    assert len(levels) == len(CONDITIONS)
    assert all(float(cells[2]) < 88.3 and abs(float(cells[3].split()[0]) - 0.1) < 0.25 for cells in levels.values())


def test_the_penalty_holds_only_where_every_condition_says_so(grid: tuple[Drawn, list[Line]], tmp_path: Path) -> None:
    drawn, looks = grid
    worse = [line for line in looks if "/outside/plain/" not in line["run"]]
    for folder, more, answer in (
        (tmp_path / "less", [look("outside", "masks", 0, 0.4, CONTROLS_NAME, "plain")], "in part"),
        (tmp_path / "missing", [], "cannot be judged here"),
    ):
        write_looks(drawn.write(folder), worse + more)
        write_report(folder)
        assert f"other rates, poolings and scales? | **{answer}** |" in page(folder)


def test_what_is_free_stands_beside_masks(grid: tuple[Drawn, list[Line]], written: Path) -> None:
    text = section(written, "What one gets for free")
    assert "| no attention | HiResCAM | 3 |" in text and "| no attention | its masks |" not in text
    assert len(re.findall(r"^\| .*? \| (?:its masks|HiResCAM|Grad-CAM) \| 3 \|", text, re.MULTILINE)) == 3 * 11 - 1


def test_modules_of_the_papers_grid_may_stand_beside_and_take_no_variants_place(tmp_path: Path) -> None:
    looks = [look("pse_conv", "masks", 0, 0.5), look("pse_conv", "masks", 0, 9.0, grid="paper_small")]
    write_looks(tmp_path, [*looks, look("squeeze_excitation", "hirescam", 0, 0.5, grid="paper_small")])
    write_report(tmp_path)
    rows = [row for row in section(tmp_path, "What one gets for free").splitlines() if "| 1 |" in row]
    assert [row.split(" | ")[0] for row in rows] == ["| PSE(b), the paper's", "| SE"]
    assert " 0.4" in rows[0] or " 0.5" in rows[0]


def test_training_is_told_with_what_reaches_w1_and_what_the_squeeze_carries(written: Path) -> None:
    text = section(written, "While training")
    assert "| without it | step 299 | 0.80 | 0.053 |" in text
    assert "masks learn more slowly than features." in text
    assert "Of its variance 78 % tells positions apart" in text


def test_an_empty_folder_gives_a_page_that_says_what_makes_its_records(tmp_path: Path) -> None:
    assert [file.name for file in write_report(tmp_path)] == ["report.md"]
    text = page(tmp_path)
    assert text.count("**cannot be judged here** |") == 9
    for title, command in (
        ("The regions", "regions_check.py"), ("The shipped model", "facelocus localise"),
        ("Variants", "facelocus grid localisation_small"), ("What one gets", "benchmarks/localisation/localisation.py"),
        ("While training", "mask_statistics.py"), ("All runs", "facelocus grid localisation_small"),
    ):  # fmt: skip
        assert "No records yet" in section(tmp_path, title) and command in section(tmp_path, title)


@pytest.mark.parametrize("missing", ["runs.jsonl", "masks.jsonl", "default.json", "regions.json", "training.json"])
def test_each_record_may_be_missing(grid: tuple[Drawn, list[Line]], missing: str, tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.lines = [line for line in grid[0].lines if line["seed"] < 2 and "pse_conv" in line["name"]]
    drawn.add(NAME, TRUNK, "pse_softmax", 0, gain=0)
    folder = drawn.write(tmp_path)
    write_looks(folder, grid[1][:6])
    write_measurements(folder)
    (folder / missing).unlink()
    write_report(folder)
    assert "No records yet" in page(folder)


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as error:
        write_report(folder)
    assert not (folder / "report.md").exists()
    return str(error.value)


def change(line: Line, **values: Any) -> Line:
    return line | values


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            lambda line: change(line, maps="lime"),
            "'lime' of 'localisation_small/tf_efficientnet_lite0/pse_conv/1' are not known",
        ),
        (lambda line: change(line, run=line["run"].replace("pse_conv", "other")), "are not known"),
        (lambda line: change(line, seed=5), "is not of seed 5"),
        (lambda line: change(line, regions={}), "regions are not CelebA's"),
        (lambda line: change(line, own=[1.0]), "own"),
        (lambda line: change(line, faces=999), "is of other faces than the lines before"),
        (lambda line: look("pse_conv", "masks", 0, 0.5), "a second time"),
    ],
)
def test_a_damaged_look_is_refused_by_its_line(changed: Callable[[Line], Line], words: str, tmp_path: Path) -> None:
    write_looks(tmp_path, [look("pse_conv", "masks", 0, 0.5), changed(look("pse_conv", "masks", 1, 0.5))])
    message = refused(tmp_path)
    assert message.startswith(f"{tmp_path / 'masks.jsonl'}: line 2 ") and words in message and "\n" not in message


@pytest.mark.parametrize("other", [{"iterations": 500}, {"batch_size": 64}])
def test_runs_that_differ_in_more_than_the_variant_are_refused(other: dict[str, int], tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.add(NAME, TRUNK, "none", 0, gain=0)
    drawn.add(NAME, TRUNK, "pse_conv", 0, gain=0, **other)
    message = refused(drawn.write(tmp_path))
    assert message.startswith(f"{tmp_path / 'runs.jsonl'}: ") and "differ in more than the variant" in message


@pytest.mark.parametrize(("grid_name", "variant"), [("paper_small", "none"), (NAME, "squeeze_excitation")])
def test_a_run_of_another_grid_is_refused(grid_name: str, variant: str, tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.add(grid_name, TRUNK, variant, 0)
    assert "line 1 is damaged" in refused(drawn.write(tmp_path))


@pytest.mark.parametrize("file", ["default.json", "regions.json", "training.json"])
def test_a_damaged_measurement_is_refused(file: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(json.dumps({"faces": 3, "regions": {}, "runs": {}}), encoding="utf-8")
    message = refused(tmp_path)
    assert message.startswith(f"{tmp_path / file} is damaged") and message.endswith("measure it again")


def test_the_command_names_what_it_wrote_and_refuses_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_looks(tmp_path, [look("none", "hirescam", 0, 0.5)])
    for folder, code in ((tmp_path, 0), (tmp_path / "nowhere", 1)):
        with pytest.raises(SystemExit) as ended:
            main(["report", "localisation", "--records", str(folder)])
        assert ended.value.code == code
    said = capsys.readouterr()
    assert said.out.splitlines() == [str(tmp_path / name) for name in ("report.md", "free.png")]
    (line,) = said.err.splitlines()
    assert line == f"facelocus: {tmp_path / 'nowhere'}: no such folder: name the one that holds runs.jsonl"
