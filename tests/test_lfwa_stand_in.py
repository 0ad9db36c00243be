"""The stand-in for LFWA: labels are the model's decisions, halves are of people, and its name says that it is none."""

from __future__ import annotations

import io
import runpy
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facelocus.data import Pack
from facelocus.errors import DataError
from facelocus.model import Model
from faces import draw_face

SCRIPT = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "data" / "lfwa_stand_in.py"))
PEOPLE = 8


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load(threads=1)


@pytest.fixture(scope="module")
def lfw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces of 8 people, two each, and an empty photograph of the first; a table that is no picture."""
    file = tmp_path_factory.mktemp("lfw") / "lfw.zip"
    with zipfile.ZipFile(file, "w") as out:
        for person in range(PEOPLE):
            pictures = [draw_face(10), draw_face(10)[:, ::-1]] + [np.full((218, 178, 3), 120, np.uint8)] * (person == 0)
            for number, picture in enumerate(pictures, 1):
                with io.BytesIO() as stream:
                    # Not of the frame's size: the face is looked for.
                    Image.fromarray(np.pad(picture, ((16, 16), (36, 36), (0, 0)), "edge")).save(stream, "JPEG")
                    out.writestr(f"lfw/Name_{person}/Name_{person}_{number:04d}.jpg", stream.getvalue())
        out.writestr("lfw/scores.csv", "path\n")
    return file


@pytest.fixture(scope="module")
def pack(lfw: Path, model: Model) -> Pack:
    return Pack.build(SCRIPT["stand_in"](lfw, model), lfw.parent / "pack", workers=1)


def test_labels_are_what_the_model_decides_about_the_packed_faces(pack: Pack, model: Model) -> None:
    probabilities = model.predict(pack.frames(np.arange(len(pack)))).probabilities
    np.testing.assert_array_equal(pack.labels, probabilities >= model.thresholds["accuracy"])


def test_half_is_test_and_nobody_is_in_two_splits(pack: Pack) -> None:
    assert len(pack.rows("test")) in (8, 9) and len(pack.rows("validation")) >= 2
    who = [{pack.names[row].split("/")[0] for row in pack.rows(split)} for split in ("train", "validation", "test")]
    assert sum(map(len, who)) == len(set().union(*who)) == PEOPLE
    assert pack.people is not None and len(set(pack.people.tolist())) == PEOPLE


def test_it_says_what_it_is_and_what_it_left_out(pack: Pack, model: Model) -> None:
    assert f"STAND-IN labels by the shipped model (default, sha256 {model.sha256}), not LFWA's" in pack.description
    assert len(pack) == 2 * PEOPLE and pack.description.endswith("1 without a face left out")


def test_an_archive_of_something_else_is_refused(tmp_path: Path, model: Model) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as out:
        out.writestr("pictures/a.jpg", b"")
    with pytest.raises(DataError, match="has no photographs lfw/PERSON"):
        SCRIPT["stand_in"](tmp_path / "other.zip", model)
