"""Training faces in distorted copies: which rows there are, that a seed fixes them, and that none is half-written."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facelocus.data import Pack, packing, read_table
from facelocus.data.pack import copy_name
from facelocus.errors import DataError, InputError, UsageError
from facelocus.training import expand as expand_module
from facelocus.training import scoring
from facelocus.training.expand import expand
from faces import write_celeba
from layouts import rows_of

TIMES = 3


@pytest.fixture(scope="module")
def celeba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_celeba(tmp_path_factory.mktemp("source") / "celeba", 15)


@pytest.fixture(scope="module")
def faces(celeba: Path) -> Pack:
    """15 faces: 9 train, 3 validation, 3 test."""
    return Pack.build(read_table(celeba), celeba.parent / "pack", workers=1)


@pytest.fixture(scope="module")
def expanded(faces: Pack) -> Pack:
    return expand(faces, faces.folder.parent / "expanded", TIMES, workers=1)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def by_name(pack: Pack) -> dict[str, np.ndarray]:
    return dict(zip(pack.names, pack.frames(np.arange(len(pack))), strict=True))


def test_the_rows_of_the_pack_come_first_as_they_are(faces: Pack, expanded: Pack) -> None:
    rows = np.arange(len(faces))
    assert expanded.names[: len(faces)] == faces.names
    np.testing.assert_array_equal(expanded.frames(rows), faces.frames(rows))
    np.testing.assert_array_equal(expanded.labels[rows], faces.labels)
    np.testing.assert_array_equal(expanded.people[rows], faces.people)
    for split in ("validation", "test"):
        np.testing.assert_array_equal(expanded.rows(split), faces.rows(split))


def test_each_training_face_is_there_so_many_times_with_its_labels_and_person(faces: Pack, expanded: Pack) -> None:
    train = expanded.rows("train")
    assert len(train) == TIMES * len(faces.rows("train"))
    assert set(Counter(expanded.names[row].split("#")[0] for row in train).values()) == {TIMES}
    for row in train:
        source = faces.names.index(expanded.names[row].split("#")[0])
        np.testing.assert_array_equal(expanded.labels[row], faces.labels[source])
        assert expanded.people[row] == faces.people[source]


def test_copies_differ_from_their_face_and_from_each_other_but_show_it(faces: Pack, expanded: Pack) -> None:
    frames = {name: frame.astype(int) for name, frame in by_name(expanded).items()}
    for name in (faces.names[row] for row in faces.rows("train")):
        three = [frames[name], frames[f"{name}#1"], frames[f"{name}#2"]]
        away = [np.abs(three[a] - three[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
        assert min(away) > 4 and max(away) < 70, "the drawn faces of two people are 40 to 90 apart"


def test_a_seed_fixes_every_copy_whatever_the_number_of_copies_and_of_processes(
    faces: Pack, expanded: Pack, tmp_path: Path
) -> None:
    more = by_name(expand(faces, tmp_path / "more", TIMES + 1, workers=2))
    for name, frame in by_name(expanded).items():
        np.testing.assert_array_equal(more[name], frame)


def test_another_seed_gives_other_copies_of_the_same_faces(faces: Pack, expanded: Pack, tmp_path: Path) -> None:
    other = expand(faces, tmp_path / "other", TIMES, seed=1, workers=1)
    assert other.names == expanded.names
    assert other.fingerprint != expanded.fingerprint
    here, there = by_name(expanded), by_name(other)
    assert all(np.array_equal(here[name], there[name]) != ("#" in name) for name in here)


def test_a_copy_of_a_face_that_is_left_out_is_left_out(faces: Pack, expanded: Pack) -> None:
    first = faces.names[faces.rows("train")[0]]
    kept = [expanded.names[row] for row in expanded.rows("train", exclude=[first])]
    assert len(kept) == len(expanded.rows("train")) - TIMES
    assert not [name for name in kept if name.startswith(first)]


def test_it_says_that_it_is_expanded(faces: Pack, expanded: Pack) -> None:
    assert expanded.fingerprint != faces.fingerprint
    assert expanded.description.startswith(faces.description)
    assert "expanded: 9 training faces 3 times" in expanded.description


def test_a_face_in_several_rows_keeps_them(celeba: Path, tmp_path: Path) -> None:
    table = rows_of(read_table(celeba), np.array([0, 0, 1, 3]))  # nobody known; 3 is of the validation
    pack = expand(Pack.build(table, tmp_path / "pack", workers=1), tmp_path / "expanded", 2, workers=1)
    first, second, _, _ = table.names
    assert pack.names == (*table.names, f"{first}#1", f"{second}#1", f"{table.names[2]}#1")
    assert pack.people is None


def test_a_face_whose_name_is_not_text_is_copied_like_any_other(faces: Pack, tmp_path: Path) -> None:
    odd = "caf\udce9.jpg"  # as a byte that is no UTF-8 comes from the system
    renamed = dataclasses.replace(faces, names=(odd, *faces.names[1:]))
    assert f"{odd}#1" in expand(renamed, tmp_path / "expanded", 2, workers=1).names


def test_stopped_half_way_it_is_no_pack_and_goes_on_to_the_same_bytes(
    faces: Pack, expanded: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from facelocus.data import Pack, packing\n"
        "from facelocus.training import expand as module\n"
        "packing._CHUNK, packing._RECORD_EVERY = 4, 0\n"
        "def waited(recording):\n"  # a slow disk would leave nothing to go on from
        "    return recording is None or recording.result() is None\n"
        "packing._is_over = waited\n"
        "real, calls = module._distorted, []\n"
        "def killed(*arguments):\n"
        "    calls.append(arguments)\n"
        "    if len(calls) == 10:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(*arguments)\n"
        "module._distorted = killed\n"
        f"module.expand(Pack.open(Path(sys.argv[1])), Path(sys.argv[2]), {TIMES}, workers=1)\n"
    )
    target = tmp_path / "packs" / "expanded"
    done = subprocess.run([sys.executable, program, faces.folder, target], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with pytest.raises(InputError, match="does not exist"):
        Pack.open(target)
    monkeypatch.setattr(packing, "_CHUNK", 4)
    again: list[Any] = []
    real = expand_module._distorted
    monkeypatch.setattr(expand_module, "_distorted", lambda *given: again.append(given) or real(*given))
    expand(faces, target, TIMES, workers=1)
    assert 9 <= len(again) < 18, "what is on the disk is not made again"
    assert contents(target) == contents(expanded.folder)
    assert [path.name for path in target.parent.iterdir()] == ["expanded"]


@pytest.mark.parametrize("times", [1, 0, -3])
def test_less_than_two_times_is_refused(faces: Pack, tmp_path: Path, times: int) -> None:
    with pytest.raises(UsageError, match="choose 2 or more"):
        expand(faces, tmp_path / "expanded", times)
    assert list(tmp_path.iterdir()) == []


def test_without_training_faces_it_is_refused(celeba: Path, tmp_path: Path) -> None:
    table = read_table(celeba)
    pack = Pack.build(rows_of(table, np.flatnonzero(table.splits != 0)), tmp_path / "pack", workers=1)
    with pytest.raises(DataError, match="no training faces"):
        expand(pack, tmp_path / "expanded", 2)


def test_copies_are_not_copied(expanded: Pack, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"000001\.jpg#1; expand the Pack that it was made of"):
        expand(expanded, tmp_path / "expanded", 2)


def test_what_stands_at_the_target_stays(faces: Pack, expanded: Pack, tmp_path: Path) -> None:
    before = contents(faces.folder)
    with pytest.raises(DataError, match="another or a changed source"):
        expand(faces, faces.folder, 2, workers=1)
    with pytest.raises(DataError, match="another or a changed source"):
        expand(faces, expanded.folder, TIMES + 1, workers=1)
    with pytest.raises(DataError, match="is not a Pack"):
        expand(faces, tmp_path, 2, workers=1)
    assert contents(faces.folder) == before
    assert len(expand(faces, expanded.folder, TIMES, workers=1)) == len(expanded)  # the same one is reused


def test_copies_of_a_face_are_no_labels_of_their_own(pack: Pack) -> None:
    """Where people are unknown, how surely labelling differs rests on faces, however often they were distorted."""
    alone = dataclasses.replace(pack, people=None)
    training, validation = alone.rows("train"), alone.rows("validation")
    names = tuple(copy_name(alone.names[row], number) for number in (1, 2, 3) for row in training)
    more = dataclasses.replace(
        alone, names=alone.names + names, labels=np.concatenate([alone.labels, *3 * [alone.labels[training]]])
    )
    copies = np.arange(len(alone), len(more.names))
    expected = scoring._shift(alone, training, validation)
    found = scoring._shift(more, np.concatenate([training, copies]), validation)
    np.testing.assert_allclose(found.noise, expected.noise, rtol=0.1)
