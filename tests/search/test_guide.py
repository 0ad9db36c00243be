"""The guide can be followed word for word, with the pictures of this repository, and lists every word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from facelocus.cli import main
from facelocus.search.query import words_of
from facelocus.search.words import SYNONYMS

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "search.md").read_text(encoding="utf-8")


def test_the_guide_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").symlink_to(DOCS, target_is_directory=True)
    (tmp_path / "demo").mkdir()
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```\n(.*?)^```", GUIDE.partition("## ")[0], re.MULTILINE | re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line.startswith("facelocus ")]
    assert len(commands) > 9
    for command in commands:
        with pytest.raises(SystemExit) as end:
            main(shlex.split(command)[1:])
        printed, told = capsys.readouterr()
        assert end.value.code == 0, (command, told)
        assert printed and "nothing found" not in told, command
        if command == commands[1]:
            assert told in GUIDE, "the guide says what it understands"
            first, second = printed.splitlines()[:2]
            assert "portrait" in first and "eyeglasses" in second


def test_the_guide_lists_every_word() -> None:
    listed = dict(re.findall(r"^\| ([\w ]+) \| (.* \| .*) \|$", GUIDE.partition("## The words")[2], re.MULTILINE))
    for attribute, phrases in SYNONYMS.items():
        words = re.split(r" \| |, ", listed[words_of(attribute)])
        assert sorted(filter(None, words)) == sorted(phrase.removeprefix("no ") for phrase in phrases.split(", "))
