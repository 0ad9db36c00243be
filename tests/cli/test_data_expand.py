"""`facelocus data expand` as it is typed: what it writes, prints and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from facelocus.cli import main
from facelocus.data import Pack
from faces import write_celeba


@pytest.fixture
def celeba(tmp_path: Path) -> Path:
    return write_celeba(tmp_path / "celeba", 15)


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["data", "expand", *map(str, words), "--workers", "1"])
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, said.out, said.err


def test_labelled_faces_become_an_expanded_pack_and_a_sheet(
    celeba: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = tmp_path / "sheet.png"
    code, out, _ = run(capsys, celeba, tmp_path / "x", "--times", 2, "--seed", 3, "--draw", sheet)
    assert code == 0
    assert out.startswith(f"{tmp_path / 'x'}: official CelebA, 15 images")
    assert "expanded: 9 training faces 2 times" in out and "seed 3; 18 rows to train on" in out
    assert len(Pack.open(tmp_path / "x").rows("train")) == 18
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_a_pack_is_taken_and_twelve_times_is_the_default(
    celeba: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from facelocus.data import read_table

    Pack.build(read_table(celeba), tmp_path / "pack", workers=1)
    assert run(capsys, tmp_path / "pack", tmp_path / "x")[0] == 0
    assert len(Pack.open(tmp_path / "x").rows("train")) == 12 * 9


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--times", 1], 2, "--times"),
        (["--draw", "nowhere/sheet.png"], 2, "--draw nowhere/sheet.png: is a folder or lies in none"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    celeba: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[object], code: int, message: str
) -> None:
    ended, _, said = run(capsys, celeba, tmp_path / "x", *options)
    assert ended == code and message in said
    assert [path.name for path in tmp_path.iterdir()] == ["celeba"]


def test_a_folder_that_is_something_else_is_refused_in_one_line(
    celeba: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").mkdir()
    code, _, said = run(capsys, celeba, tmp_path / "x")
    assert code == 1
    assert f"facelocus: {tmp_path / 'x'} exists and is not a Pack" in said
