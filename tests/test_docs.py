"""What the documents say is there: verbs and their options, recipes, files, links, make targets, numbers."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.main import get_command

from facelocus import recipes
from facelocus.cli import app
from facelocus.metrics import summarise
from small_model import SMALL

ROOT = Path(__file__).parent.parent
PACKAGE = "src/facelocus"
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
READ = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in DOCUMENTS}
ALL = "\n".join(READ.values())


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every verb with its command, those of a group by their full path."""
    for name, below in command.commands.items():
        if hasattr(below, "commands"):
            yield from verbs(below, (*path, name))
        else:
            yield (*path, name), below


VERBS = dict(verbs(get_command(app)))


def code(text: str) -> list[str]:
    """Return what stands in code: the lines of fenced blocks, and what is between backticks elsewhere."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()] + re.findall(r"`([^`]+)`", outside)


SHOWN = [shlex.split(line, comments=True) for line in code(ALL) if line.startswith(("facelocus ", "make "))]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_is_shown(verb: tuple[str, ...]) -> None:
    assert any(words[1 : 1 + len(verb)] == list(verb) for words in SHOWN if words[0] == "facelocus")


@pytest.mark.parametrize("words", [words for words in SHOWN if words[0] == "facelocus"], ids=" ".join)
def test_a_command_shown_exists_with_its_options(words: list[str]) -> None:
    options = {word for word in words if word.startswith("--")}
    if words[1].startswith("--"):
        known = {name for parameter in get_command(app).params for name in parameter.opts} | {"--help"}
    else:
        (command,) = [command for verb, command in VERBS.items() if tuple(words[1 : 1 + len(verb)]) == verb]
        known = {name for parameter in command.params for name in parameter.opts} | {"--help", "--debug"}
    assert options <= known


@pytest.mark.parametrize("words", [words for words in SHOWN if words[0] == "make"], ids=" ".join)
def test_a_make_target_shown_exists(words: list[str]) -> None:
    targets = re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {word for word in words[1:] if "=" not in word} <= set(targets)


@pytest.mark.parametrize("recipe", sorted(path.stem for path in Path(recipes.__path__[0]).glob("[!_]*.py")))
def test_every_recipe_is_named(recipe: str) -> None:
    assert re.search(rf"`{recipe}`|facelocus train {recipe}\b", ALL)


@pytest.mark.parametrize("document", READ)
def test_every_link_leads_to_a_file(document: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", READ[document])
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("document", READ)
def test_every_path_named_exists(document: str) -> None:
    """A path is what has a slash or a file's ending; in the architecture it may be given from the package on."""
    named = {
        word for word in code(READ[document]) if re.fullmatch(r"\.?[\w-]+/[\w./-]*|\.?[\w/-]+\.(py|md|toml)", word)
    }
    assert named or document in ("README.md", "docs/own-labels.md")
    assert [word for word in sorted(named) if not any((ROOT / base / word).exists() for base in ("", PACKAGE))] == []


def test_the_tables_named_in_contributing_are_where_it_says_and_tested() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("*/**/*.py"))
    named = re.findall(r"`([A-Z_]{4,})` (?:of|in) `([\w/.]+)`", READ["CONTRIBUTING.md"])
    assert named
    for name, file in named:
        assert re.search(rf"^{name}\b.* = ", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), name
        assert name.startswith("_") or name in tests


def test_every_room_is_in_the_architecture() -> None:
    folders = (path for path in (ROOT / PACKAGE).iterdir() if (path / "__init__.py").exists())
    rooms = {f"{path.name}/" for path in folders} | {path.name for path in (ROOT / PACKAGE).glob("*.py")}
    assert rooms <= set(code(READ["docs/architecture.md"]))


SCRIPT = runpy.run_path(str(ROOT / "benchmarks" / "document_numbers.py"))


@pytest.mark.parametrize("document", SCRIPT["BLOCKS"])
def test_the_numbers_in_documents_are_those_of_the_results(document: str) -> None:
    assert SCRIPT["written"](document) == READ[document]


def test_the_numbers_come_from_the_evaluation(tmp_path: Path) -> None:
    evaluation = tmp_path / "made.json"
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (60, len(SMALL)), dtype=np.int8)
    probabilities = np.clip(labels * 0.5 + rng.random(labels.shape) * 0.6, 0, 1)
    half = np.full(len(SMALL), 0.5)
    summary = summarise(labels, probabilities, SMALL, {"accuracy": half, "balanced": half}, resamples=50)
    about = {"data": {"description": "drawn faces"}, "split": "test"}
    about["calibration"] = {"mean_error": 2.04, "mean_chance": 1.0}
    evaluation.write_text(json.dumps(about | summary), encoding="utf-8")
    first = {"recipe": "big", "seconds": 60.0, "device": "a laptop"}
    run = {"recipe": "small", "data": {"training_images": 1234}, "seconds": 120.4, "device": "a card", "threads": 2}
    (tmp_path / "record.json").write_text(json.dumps(run | {"from": first}), encoding="utf-8")
    table = SCRIPT["numbers"](evaluation, tmp_path / "record.json")
    assert "On 60 faces (drawn faces; test split)" in table
    assert f"| accuracy | {summary['mean_accuracy']:.2f} |" in table
    assert "off by 2.0 points (expected calibration error; right ones would show 1.0 by chance)" in table
    runs = "`big` (1 minutes), then `small` (2 minutes), on a laptop and a card"
    assert f"Trained on 1,234 faces by the recipe {runs}, 2 threads, other work beside it.\n" in table
    (tmp_path / "record.json").write_text(json.dumps(run | {"teachers": [run | {"from": first}]}), encoding="utf-8")
    table = SCRIPT["numbers"](evaluation, tmp_path / "record.json")
    assert "the recipe `small` (2 minutes), on a card, 2 threads" in table
    assert f"Beside the labels they learnt from a network of {runs}.\n" in table
