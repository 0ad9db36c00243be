"""The page of the paper: the same from the same records, whole without some, refused with damaged ones."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelocus.errors import InputError
from facelocus.reports import published
from facelocus.reports.paper import write_report
from paper_records import Drawn, whole_grid, write_costs


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return whole_grid()


@pytest.fixture(scope="module")
def written(drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = drawn.write(tmp_path_factory.mktemp("records"))
    write_costs(folder)
    write_report(folder)
    return folder


def section(report: str, title: str) -> str:
    """Return what stands below a heading."""
    (found,) = re.findall(rf"^## {re.escape(title)}.*?\n(.*?)(?=^## |\Z)", report, re.MULTILINE | re.DOTALL)
    return str(found)


def page(folder: Path) -> str:
    return (folder / "report.md").read_text(encoding="utf-8")


def test_the_same_records_in_any_order_give_the_same_bytes(drawn: Drawn, written: Path, tmp_path: Path) -> None:
    lines = random.Random(0).sample(drawn.lines, len(drawn.lines))
    assert lines != drawn.lines
    again = drawn.write(tmp_path, lines)
    write_costs(again)
    files = write_report(again)
    assert [file.name for file in files] == ["report.md", "modules.png", "controls.png", "growth.png", "attributes.png"]
    for file in files:
        assert file.read_bytes() == (written / file.name).read_bytes(), file.name


def test_a_figure_says_nothing_of_when_and_by_what_it_was_made(written: Path) -> None:
    for file in written.glob("*.png"):
        with Image.open(file) as picture:
            assert set(picture.info) <= {"dpi"}


def test_it_says_what_there_is(written: Path) -> None:
    head = page(written).partition("## ")[0]
    for words in ("62,012 training images, 38 % of CelebA's 162,770", "87 runs, seeds 0, 1 and 2, on a processor",
                  "| `paper_small` | small form on two cores | 36 |", "| `paper_small_growth` |"):  # fmt: skip
        assert words in head


def test_that_data_are_fewer_than_the_papers_is_said_only_where_they_are(tmp_path: Path) -> None:
    drawn = Drawn()
    for module in ("none", "pse_conv"):
        drawn.add("paper", "alexnet_cvgj", module, 0, images=published.TRAINING_IMAGES)
    write_report(drawn.write(tmp_path))
    said = (
        "a part of the 19,962 of CelebA's test split",
        "differ in data too",
        "whether it is better cannot be judged",
    )
    assert all(words in page(tmp_path) for words in said)
    for line in drawn.lines:
        line["test"]["images"] = published.TEST_IMAGES
    write_report(drawn.write(tmp_path))
    assert not any(words in page(tmp_path) for words in said)


def test_it_says_what_keeps_the_printed_length_from_being_run(written: Path, tmp_path: Path) -> None:
    # A step of 32 takes a second: 5.12 million images take 160,000.
    assert "(131 x 131 pixels, a processor; below) that is 44 hours a run" in page(written)
    drawn = Drawn()
    drawn.add("paper", "alexnet_cvgj", "none", 0, iterations=20_000)
    write_costs(drawn.write(tmp_path))
    write_report(tmp_path)
    assert "Printed length: cannot be judged here" not in page(tmp_path)


def test_table_1_has_the_printed_columns_and_ours_with_its_form(written: Path) -> None:
    text = section(page(written), "Table 1")
    rows = [row.strip("| ").split(" | ") for row in text.splitlines() if row.startswith("| ")]
    assert len(rows) == 1 + 1 + 40 + 2 and rows[0][-2:] == ["ours: PSE(b)-Alex", "ours: best validation"]
    means, averages = ([cell.strip() for cell in row] for row in rows[-2:])
    assert means[1:7] == averages[1:7] and means[8:14] == averages[8:14]
    assert means[7] == "" and averages[7] == "81.45" and "that is not accuracy" in text
    assert "Bangs 99 (the next 96.05) and Big_Lips 96 (the next 72.01)" in text
    assert "`alexnet_cvgj` with PSE(b), small form on two cores: 400 iterations on 62,012 images" in text


def test_stand_in_labels_stand_apart_from_table_2(written: Path) -> None:
    text = page(written)
    assert "paper_lfwa" not in section(text, "Table 2") and "84.45" in section(text, "Table 2")
    assert "paper_lfwa_small/alexnet_cvgj/pse_conv/0" in section(text, "Stand-in labels on LFW's pictures, not LFWA")
    for title in ("Verdicts", "Table 1", "Modules", "Fair controls", "Growth"):
        assert "paper_lfwa" not in section(text, title)


def test_both_controls_are_reported_with_the_rate_that_validation_prefers(written: Path) -> None:
    text = section(page(written), "Fair controls")
    assert "| classifier inputs not normalised, rate 0.005 | PSE(b) | 0.005 | 3 |" in text
    tuned = "| normalised classifier inputs, rate tuned per module | PSE(b) | "
    assert tuned + "0.005 (of 0.005 0.01 0.02), 0.01 (of 0.005 0.01 0.02) | 3 |" in text
    assert "No records yet without normalised inputs nor with tuned rates." in text  # of the two other trunks


def test_every_verdict_names_its_runs_and_their_form(drawn: Drawn, written: Path) -> None:
    text = section(page(written), "Verdicts")
    assert "| PSE(b) adds 0.73 points on Alex | **holds** | small form on two cores |" in text
    assert "(a) has 5,593 parameters and (b) 177" in text
    named = re.findall(r"`(paper_[^`{]+)\{([\d,]+)\}`", text)
    runs = {line["run"] for line in drawn.lines}
    assert named and {name + seed for name, seeds in named for seed in seeds.split(",")} <= runs


def test_an_empty_folder_gives_a_page_that_says_so(tmp_path: Path) -> None:
    assert [file.name for file in write_report(tmp_path)] == ["report.md"]
    text = page(tmp_path)
    assert "Runs: no records yet." in text and text.count("**cannot be judged here**") == 7
    for title in ("Modules", "What modules cost", "Fair controls", "Growth", "Stand-in labels", "All runs"):
        assert "No records yet" in section(text, title)
    assert "| average as printed | 87.30 |" in text and "| 9.78 points above SSP+SSG | **does not hold** |" in text


def test_without_counts_of_people_there_are_scores_but_no_verdicts(drawn: Drawn, tmp_path: Path) -> None:
    folder = drawn.write(tmp_path)
    (folder / "people" / "labels.f00d.npz").unlink()
    write_report(folder)
    assert "(no interval)" in section(page(folder), "Modules")
    assert "| PSE(b) adds 0.73 points on Alex | **cannot be judged here** |" in page(folder)
    assert "Without counts of people" in section(page(folder), "All runs")


def test_a_baseline_alone_is_no_comparison(tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.add("paper", "alexnet_cvgj", "none", 0, iterations=20_000)
    folder = drawn.write(tmp_path)
    assert [file.name for file in write_report(folder)] == ["report.md", "attributes.png"]
    assert "No records yet of PSE(b) and none on `alexnet_cvgj`." in page(folder)
    assert "printed length: 20,000 iterations" in section(page(folder), "Table 1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda line: line[: len(line) // 2], "truncated"),
        (lambda line: "", "truncated"),
        (lambda line: line.replace('"seed"', '"sead"'), "seed"),
        (lambda line: line.replace("paper_small", "papers_small"), "grid 'papers_small' is none of the paper's"),
        (lambda line: line.replace("/none", "/nothing"), "no trunk with a module"),
        (lambda line: line.replace('"Young"', '"Old"'), "has not CelebA's attributes"),
        (lambda line: line.replace('/none/1"', '/none/0"').replace('"seed": 1', '"seed": 0'), "a second time"),
    ],
)
def test_a_damaged_line_is_refused_by_its_number(change: object, words: str, tmp_path: Path) -> None:
    assert callable(change)
    drawn = Drawn()
    for seed in range(3):
        drawn.add("paper_small", "alexnet_cvgj", "none", seed)
    lines = [json.dumps(line) for line in drawn.lines]
    file = tmp_path / "runs.jsonl"
    file.write_text("\n".join([lines[0], change(lines[1]), lines[2]]) + "\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        write_report(tmp_path)
    assert str(refused.value).startswith(f"{file}: line 2 ") and words in str(refused.value)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("of", ["another run", "more than there are", "nothing", "one table", "damaged"])
def test_counts_that_are_not_of_their_run_are_refused(of: str, tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.add("paper_small", "alexnet_cvgj", "none", 0)
    folder = drawn.write(tmp_path)
    file = folder / "people" / "paper_small.alexnet_cvgj.none.0.npz"
    (counts,) = drawn.counts.values()
    if of == "another run":
        np.savez(file, half=counts["half"] // 2, balanced=counts["balanced"])
    elif of == "more than there are":
        np.savez(file, half=counts["half"] + 9, balanced=counts["balanced"])
    elif of == "nothing":
        file.write_bytes(b"PK")
    elif of == "one table":
        with file.open("wb") as out:
            np.save(out, counts["half"])
    else:
        np.savez_compressed(file, **counts)
        content = bytearray(file.read_bytes())
        for at in range(150, 400):  # within the first compressed table
            content[at] ^= 0xFF
        file.write_bytes(content)
    with pytest.raises(InputError, match=re.escape(str(file))):
        write_report(folder)


def test_damaged_costs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "costs.json").write_text('{"device": "a processor"}', encoding="utf-8")
    with pytest.raises(InputError, match=r"costs\.json is damaged .*measure it again"):
        write_report(tmp_path)
