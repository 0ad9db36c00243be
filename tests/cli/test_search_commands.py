"""The verbs over a library: what they print, what they refuse, and that searching loads no more than it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from PIL import Image

from facelocus.cli import main
from facelocus.cli.found import print_found
from facelocus.search.find import Found
from libraries import draw
from small_model import description, write_model

LAB = {"torch", "torchvision", "timm", "safetensors", "onnx", "msgspec", "matplotlib"}


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    try:
        main([str(word) for word in words])
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    return code, *capsys.readouterr()


@pytest.fixture
def library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    model = write_model(tmp_path / "small.onnx")
    for number in range(6):
        draw(tmp_path / "photos" / f"{number}.png", number)
    (tmp_path / "photos" / "bad.png").write_bytes(b"noise")
    code, out, err = run(
        capsys,
        "index",
        tmp_path / "photos",
        "--to",
        tmp_path / "library",
        "--model",
        model,
        "--aligned",
        "--workers",
        1,
    )
    assert code == 0
    assert out == (
        "7 analyzed, 0 moved or copied, 0 removed; "
        f"{tmp_path / 'library'} holds 7 photographs with 6 faces, 1 cannot be read\n"
    )
    assert "bad.png" in err and "Traceback" not in err
    return tmp_path / "library"


def rows(capsys: pytest.CaptureFixture[str], *words: object) -> list[dict[str, Any]]:
    code, out, _ = run(capsys, *words, "--json")
    assert code == 0
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_search_says_what_it_understood_and_why_each_was_found(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "search", library, "left red, not right-dark", "--limit", 2)
    assert (code, err) == (0, "understood: at least 1 face: left red, not right dark\n")
    assert [line.split()[0] for line in out.splitlines()][1::2] == ["face", "face"]
    assert "left red " in out and "not right dark " in out and "trust" in out
    found = rows(capsys, "search", library, "left red, not right-dark")
    assert len(found) == 6
    assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
    for row in found:
        assert set(row) == {"path", "score", "faces"}
        (face,) = row["faces"]
        assert Path(row["path"]).is_absolute() and Path(row["path"]).exists()
        assert set(face) == {"face", "box", "trust", "probability", "terms"}
        first, second = face["terms"].values()
        assert row["score"] == pytest.approx(first * second, abs=1e-5)


def test_sort_puts_all_in_order(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    up, down = (rows(capsys, "sort", library, "--by", by) for by in ("Left_Red", "not left red"))
    assert [row["path"] for row in up] == [row["path"] for row in down][::-1]
    assert len(rows(capsys, "sort", library, "--by", "left red", "--limit", 2)) == 2


def test_summary_counts_and_says_that_it_is_not_corrected(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "summary", library)
    assert code == 0
    assert "6 pictures with 6 faces" in out and "not corrected: the model file has no error rates" in out
    assert len(out.splitlines()) == 5
    code, out, _ = run(capsys, "summary", library, "--json")
    found = json.loads(out)
    assert (found["pictures"], found["faces"]) == (6, 6)
    assert found["attributes"]["Left_Red"]["corrected"] is None
    assert 0 <= found["attributes"]["Left_Red"]["counted"][1] <= found["attributes"]["Left_Red"]["counted"][0]


def test_summary_takes_out_the_error_rates_that_the_model_file_carries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = {"sensitivity": [0.9, 0.9, 0.9, 0.4], "specificity": [0.8, 0.8, 0.8, 0.4]}
    rates |= {"positives": [50] * 4, "negatives": [50] * 4}
    model = write_model(tmp_path / "rated.onnx", description(rates=rates))
    for number in range(6):
        draw(tmp_path / "photos" / f"{number}.png", number)
    folder = tmp_path / "library"
    run(capsys, "index", tmp_path / "photos", "--to", folder, "--model", model, "--aligned", "--workers", 1)
    code, out, _ = run(capsys, "summary", folder)
    assert code == 0 and "corrected for the model's error rates" in out
    said = [line.endswith("other error rates than on validation faces") for line in out.splitlines()[1:]]
    assert said == [False, False, False, True]
    code, out, _ = run(capsys, "summary", folder, "--json")
    (share, low, high) = json.loads(out)["attributes"]["Left_Red"]["corrected"]
    assert 0 <= low <= share <= high <= 1


def test_like_finds_the_most_alike_without_the_picture_itself(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copyfile(tmp_path / "photos" / "0.png", tmp_path / "copy.png")
    for picture in (tmp_path / "photos" / "0.png", tmp_path / "copy.png"):
        found = rows(capsys, "search", library, "--like", picture)
        assert len(found) == 5
        assert str(tmp_path / "photos" / "0.png") not in [row["path"] for row in found]
    draw(tmp_path / "stranger.png", 60)
    code, _, err = run(capsys, "search", library, "--like", tmp_path / "stranger.png")
    assert code == 2 and "index it first" in err


def test_like_looks_at_a_stranger_with_the_librarys_own_shipped_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_model(tmp_path / "own.onnx")
    for number in range(3):
        draw(tmp_path / "photos" / f"{number}.png", number)
    folder = tmp_path / "library"
    run(capsys, "index", tmp_path / "photos", "--to", folder, "--model", model, "--aligned", "--workers", 1)
    draw(tmp_path / "stranger.png", 60)
    monkeypatch.setattr("facelocus.model.shipped_models", lambda: {"own": model})
    assert len(rows(capsys, "search", folder, "--like", tmp_path / "stranger.png")) == 3


def test_copy_and_link_gather_what_matches(library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    matching = [row for row in rows(capsys, "search", library, "left red, right red") if row["score"] >= 0.5]
    assert 0 < len(matching) < 6
    code, out, _ = run(capsys, "copy", library, "left red, right red", "--to", tmp_path / "copies")
    assert (code, out) == (0, f"{len(matching)} copied, 0 were there already; {tmp_path / 'copies'}\n")
    assert {path.name for path in (tmp_path / "copies").iterdir()} == {Path(row["path"]).name for row in matching}
    code, out, _ = run(capsys, "link", library, "left red, right red", "--to", tmp_path / "links", "--limit", 1)
    assert (code, out) == (0, f"1 linked, 0 were there already; {tmp_path / 'links'}\n")
    assert next((tmp_path / "links").iterdir()).readlink() == Path(matching[0]["path"])
    Path(matching[0]["path"]).unlink()
    code, _, err = run(capsys, "copy", library, "left red, right red", "--to", tmp_path / "others")
    assert code == 1 and "run `facelocus index` again" in err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["search", "LIBRARY"], 2, "give one of the two"),
        (["search", "LIBRARY", "left red", "--like", "x.png"], 2, "give one of the two"),
        (["search", "LIBRARY", "--like", "nowhere.png"], 1, "nowhere.png is not there"),
        (["search", "LIBRARY", "left ret"], 2, "nearest are 'left red'"),
        (["search", "nowhere", "left red"], 1, "no library: make one with `facelocus index"),
        (["sort", "LIBRARY", "--by", "left red or right red"], 2, "facelocus: "),
        (["index", "nowhere", "--to", "LIBRARY"], 1, "nowhere does not exist"),
        (["index", "PHOTOS", "--to", "LIBRARY"], 2, "another model"),
        (["copy", "LIBRARY", "left red", "--to", "LIBRARY/lock"], 1, "cannot be written"),
    ],
)
def test_a_refusal_is_one_line(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    photos = str(tmp_path / "photos")
    found, out, err = run(capsys, *[word.replace("LIBRARY", str(library)).replace("PHOTOS", photos) for word in words])
    assert (found, out) == (code, "")
    assert message in err
    assert len([line for line in err.splitlines() if not line.startswith("understood: ")]) == 1


def test_a_found_name_breaks_no_line_and_changes_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    odd = Path("a\n\x1b[31m\udcff.png")
    print_found([Found(0, odd, 0.5, ())], as_json=False)
    assert capsys.readouterr().out == " 50%  a\\n\\x1b[31m\\udcff.png\n"


def test_summary_draws_what_it_counts(library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "summary", library, "--draw", tmp_path / "drawn.png")
    assert code == 0 and "not corrected" in out
    with Image.open(tmp_path / "drawn.png") as drawn:
        assert drawn.size[0] == 980 and len(drawn.getcolors(1 << 20) or ()) > 20
    code, _, err = run(capsys, "summary", library, "--draw", tmp_path)
    assert code == 2 and "is a folder or lies in none" in err


@pytest.mark.parametrize("words", [["search", "L", "left red"], ["sort", "L", "--by", "left red"], ["summary", "L"]])
def test_searching_loads_neither_the_lab_nor_a_network(library: Path, words: list[str]) -> None:
    code = "import sys\nfrom facelocus.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n    print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *[str(library) if word == "L" else word for word in words]],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "numpy" in loaded
    assert not loaded & (LAB | {"onnxruntime", "PIL"})
