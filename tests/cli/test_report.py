"""facelocus report paper from a shell: what it writes, says and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from facelocus.cli import main
from paper_records import Drawn


def report(folder: Path) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main(["report", "paper", "--records", str(folder)])
    return ended.value.code


def test_it_names_what_it_wrote_beside_the_records(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = Drawn()
    for module in ("none", "pse_conv"):
        drawn.add("paper_small", "alexnet_cvgj", module, 0)
    assert report(drawn.write(tmp_path)) == 0
    named = capsys.readouterr().out.splitlines()
    assert named == [str(tmp_path / name) for name in ("report.md", "modules.png", "attributes.png")]
    assert all(Path(file).stat().st_size > 1000 for file in named)


def test_a_refusal_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(tmp_path / "nowhere") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"facelocus: {tmp_path / 'nowhere'}: no such folder: name the one that holds runs.jsonl"
    (tmp_path / "runs.jsonl").write_text("no run\n")
    assert report(tmp_path) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"facelocus: {tmp_path / 'runs.jsonl'}: line 1 is damaged")
