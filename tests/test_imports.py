"""The rooms stand where they are drawn: who imports whom, what a start loads, and how long it takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faces import draw_face
from small_model import write_model

ROOT = Path(__file__).parent.parent

#: What only the lab may need.
LAB = {"torch", "torchvision", "timm", "safetensors", "onnx", "msgspec", "matplotlib"}
HELP = "from facelocus.cli import main; main(['--help'])"
SECONDS = 0.3


def python(code: str, *arguments: object) -> str:
    """Run code in a fresh interpreter and return what it prints last, the names of all loaded modules."""
    told = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "finally:\n    print(*sys.modules)"
    )
    command = [sys.executable, "-c", told, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("code", ["import facelocus", HELP])
def test_a_start_loads_neither_the_lab_nor_numpy(code: str) -> None:
    assert not set(python(code).split()) & (LAB | {"numpy", "onnxruntime", "PIL"})


def test_analyzing_a_picture_loads_nothing_of_the_lab(tmp_path: Path) -> None:
    from PIL import Image

    picture, model = tmp_path / "face.png", write_model(tmp_path / "small.onnx")
    Image.fromarray(draw_face(0)).save(picture)
    code = "from facelocus.cli import main; main(['analyze', *sys.argv[1:]])"
    for way in ([], ["--aligned", "--draw", tmp_path / "drawn"]):
        loaded = set(python(code, picture, "--model", model, *way).split())
        assert "onnxruntime" in loaded
        assert not loaded & LAB
    assert (tmp_path / "drawn" / "face.facelocus.png").exists()


def seconds(code: str) -> float:
    """Processor time of a fresh interpreter that runs code: of use on a busy machine too, unlike the clock."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("code", ["import facelocus", HELP])
def test_a_start_takes_at_most_0_3_seconds_longer_than_bare_python(code: str) -> None:
    # A busy neighbour makes a core slower: many rounds, so that one of them is without.
    bare, started = [], []
    for _ in range(25):
        bare.append(seconds("pass"))
        started.append(seconds(code))
        if min(started) - min(bare) <= SECONDS:
            break
    assert min(started) - min(bare) <= SECONDS


def lint(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    """Check the import contract of the package below source."""
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    shutil.copy(ROOT / ".importlinter", folder)
    environment = os.environ | {"PYTHONPATH": str(source)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_import_contract_is_kept(tmp_path: Path) -> None:
    done = lint(tmp_path, ROOT / "src")
    assert done.returncode == 0, done.stdout
    assert "3 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("images/read.py", "def late() -> None:\n    import torch"),
        ("detection/detect.py", "def late() -> None:\n    from facelocus.nn import PSEConv"),
        ("metrics/accuracy.py", "from facelocus.model import Prediction"),
        ("nn/network.py", "from facelocus.training import loop"),
        ("training/run.py", "from facelocus.photos.analyze import Face"),
        ("training/loop.py", "from facelocus.recipes.default import RECIPE"),
        ("data/pack.py", "from facelocus import analyze"),
        ("utils.py", "from facelocus import errors"),
    ],
)
def test_a_wrong_import_breaks_the_contract(tmp_path: Path, file: str, line: str) -> None:
    package = tmp_path / "src" / "facelocus"
    shutil.copytree(ROOT / "src" / "facelocus", package, ignore=shutil.ignore_patterns("*.onnx", "__pycache__"))
    with (package / file).open("a") as source:
        source.write(f"\n{line}\n")
    done = lint(tmp_path, tmp_path / "src")
    assert done.returncode == 1, done.stderr
    assert re.search("[1-3] broken", done.stdout), done.stdout
