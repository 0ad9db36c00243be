"""The wheel is whole: built, installed without the lab in an environment of its own, it analyses a photograph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import matplotlib
import pytest

from facelocus.attributes import ATTRIBUTES

ROOT = Path(__file__).parent.parent
PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of a fresh environment that holds the wheel and its base dependencies alone."""
    folder = tmp_path_factory.mktemp("environment") / "fresh"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    scripts = folder / "bin"
    pip = [scripts / "python", "-m", "pip", "install", "--quiet", "--no-compile", wheel]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return scripts


def run(command: list[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the fresh environment from elsewhere, with nothing of this one to be found."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_it_holds_the_model_the_detector_the_types_and_every_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for name in (
        "py.typed",
        "models/default.onnx",
        "models/default.golden.npz",
        "models/tiny.onnx",
        "models/tiny.golden.npz",
        "detection/mtcnn/pnet.onnx",
        "detection/mtcnn/rnet.onnx",
        "detection/mtcnn/onet.onnx",
        "detection/mtcnn/NOTICE",
        "data/photographs_300.txt",
    ):
        assert f"facelocus/{name}" in names
    licences = {name.partition(".dist-info/licenses/")[2] for name in names}
    for name in (
        "LICENSE",
        "NOTICE",
        "LICENSES/weights.txt",
        "src/facelocus/detection/mtcnn/NOTICE",
        "src/facelocus/serve/page/vendor/onnxruntime-web/LICENSE",
    ):
        assert name in licences
    assert {name.partition("/")[0] for name in names} == {
        "facelocus",
        f"{wheel.name[: -len('-py3-none-any.whl')]}.dist-info",
    }


def test_the_source_distribution_has_all_that_its_tests_read(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("benchmarks", "deploy", "docs", "results", "tests"):
        files = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.*") if path.is_file()}
        assert {file for file in files if "__pycache__" not in file} <= names
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").glob("*.*")} <= names
    assert {"Makefile", ".importlinter", "Dockerfile", ".dockerignore", "CONTRIBUTING.md"} <= names


def test_installed_alone_it_finds_a_face_with_forty_attributes(installed: Path, tmp_path: Path) -> None:
    done = run([installed / "facelocus", "analyze", "--json", PORTRAIT], tmp_path)
    assert done.returncode == 0, done.stderr
    (photo,) = json.loads(done.stdout)
    (face,) = photo["faces"]
    assert face["attributes"].keys() == set(ATTRIBUTES)
    assert all(0 <= probability <= 1 for probability in face["attributes"].values())
    assert done.stderr == ""


def test_installed_alone_it_computes_the_golden_outputs(installed: Path, tmp_path: Path) -> None:
    done = run([installed / "facelocus", "doctor"], tmp_path)
    assert done.returncode == 0, done.stdout
    assert "golden outputs agree" in done.stdout


def test_torch_is_not_installed_with_it(installed: Path, tmp_path: Path) -> None:
    code = "from importlib.util import find_spec; print(find_spec('torch'), find_spec('facelocus').origin)"
    torch, ours = run([installed / "python", "-c", code], tmp_path).stdout.split()
    assert torch == "None"
    assert Path(ours).is_relative_to(installed.parent)


def test_a_command_of_the_lab_says_in_one_line_what_to_install(installed: Path, tmp_path: Path) -> None:
    done = run([installed / "facelocus", "train", "default", "--data", "faces", "--to", "run"], tmp_path)
    assert done.returncode == 1
    assert done.stderr == "facelocus: this command needs torch: pip install 'facelocus[lab]'\n"
