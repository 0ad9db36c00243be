"""docs/own-labels.md, followed word for word on drawn faces: only the training is shorter."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from facelocus.cli import main
from facelocus.model import Model
from faces import DRAWN, draw_face, drawn_attributes

DOCUMENT = (Path(__file__).parent.parent / "docs" / "own-labels.md").read_text(encoding="utf-8")
SHORT = ["--set", 'phases=[{"iterations": 2, "frozen": true}, {"iterations": 1, "size": [64, 48]}]']
#: Stand-ins for what the document's reader knows.
KNOWN = {"squints": "Eyeglasses", "freckles@nose": "Mustache"}
FACES = 60


def facelocus(*words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    assert ended.value.code == 0, words


def write_table(folder: Path) -> None:
    """Write pictures and a table with the columns that the document shows."""
    (header,) = re.findall(r"^path,.*$", DOCUMENT, re.MULTILINE)
    (folder / "pictures").mkdir()
    lines = [header]
    for face in range(FACES):
        has = drawn_attributes(face)
        Image.fromarray(draw_face(face)).save(folder / "pictures" / f"{face}.png")
        values = {name: str(int(drawn in has)) for name, drawn in KNOWN.items()}
        values |= {"path": f"pictures/{face}.png", "person": f"person {face // 2}"}
        if face % 7 == 0:
            values["freckles@nose"] = "?"
        lines.append(",".join(values[column] for column in header.split(",")))
    (folder / "faces.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    Image.fromarray(draw_face(FACES)).save(folder / "photo.jpg")


def test_the_document_can_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(KNOWN.values()) <= set(DRAWN)
    write_table(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACELOCUS_CACHE", str(tmp_path / "cache"))
    blocks = re.findall(r"^```\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines() if line.startswith("facelocus ")]
    assert len(commands) == 7
    for command in commands:
        words = shlex.split(command)[1:]
        facelocus(*words, *(SHORT if words[0] == "train" else []))
    said = capsys.readouterr().out
    assert "60 aligned images, 2 attributes as 1/0 with ? unknown, split by person" in said

    # What it made goes by its own names everywhere.
    model = Model.load(tmp_path / "mine.onnx")
    assert model.attributes.names == ("squints", "freckles")
    assert model.attributes.regions == ("whole face", "nose")
    report = json.loads((tmp_path / "mine" / "test.json").read_text())
    assert report["attributes"].keys() == {"squints", "freckles"} and report["bootstrap"]["over"] == "people"
    facelocus("analyze", "photo.jpg", "--aligned", "--model", "mine.onnx", "--json", "--draw", "drawn")
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["faces"][0]["attributes"].keys() == {"squints", "freckles"}
    assert (tmp_path / "drawn" / "photo.facelocus.png").exists()
    facelocus("analyze", "photo.jpg", "--aligned", "--model", "mine.onnx")
    assert re.search(r"nose +.? *freckles", capsys.readouterr().out)
