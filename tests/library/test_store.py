"""A library has a version, its scores are in order, and a reader sees one state whatever is written meanwhile."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest

from facelocus.errors import InputError, UsageError
from facelocus.library import store as store_module
from facelocus.library.reader import Library
from facelocus.library.scores import LIMIT, Scores, decode, encode, write_scores
from facelocus.library.store import open_store
from facelocus.model import Model
from libraries import described, draw, index, scores_of
from small_model import SMALL


@pytest.fixture
def library(photos: Path, tmp_path: Path, model: Model) -> Path:
    index(photos, tmp_path / "library", model)
    return tmp_path / "library"


def test_a_newer_library_is_refused_and_an_older_one_migrated_once(
    library: Path, photos: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = described(library)
    monkeypatch.setattr(store_module, "VERSION", 3)
    calls: list[int] = []
    for version in (1, 2):
        monkeypatch.setitem(store_module.MIGRATIONS, version, lambda _, version=version: calls.append(version))
    with pytest.raises(UsageError, match="of an older facelocus"):
        Library(library)
    index(photos, library, model)
    index(photos, library, model)
    assert calls == [1, 2]
    assert described(library) == before
    monkeypatch.setattr(store_module, "VERSION", 1)
    for to_write in (False, True):
        with pytest.raises(UsageError, match="newer facelocus"):
            open_store(library, to_write=to_write)


def test_a_migration_that_fails_changes_nothing(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(store: sqlite3.Connection) -> None:
        store.execute("DELETE FROM pictures")
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(store_module, "VERSION", 2)
        patched.setitem(store_module.MIGRATIONS, 1, failing)
        with pytest.raises(ZeroDivisionError):
            open_store(library, to_write=True)
    assert len(described(library)) == 10


@pytest.mark.parametrize("content", [None, b"", b"no database at all, but long enough to be read as one" * 20, "other"])
def test_what_is_no_library_is_refused(tmp_path: Path, content: bytes | str | None) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if content == "other":
        other = sqlite3.connect(folder / "library.sqlite")
        other.executescript("CREATE TABLE t (x)")
        other.close()
        with pytest.raises(InputError, match="another program"):
            open_store(folder, to_write=True)
    elif isinstance(content, bytes):
        (folder / "library.sqlite").write_bytes(content)
    with pytest.raises((InputError, UsageError), match="folder"):
        Library(folder)


def _spoil(library: Path, table: str) -> None:
    with closing(sqlite3.connect(library / "library.sqlite")) as store:
        (page,) = store.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = store.execute("PRAGMA page_size").fetchone()
    with (library / "library.sqlite").open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def test_a_damaged_page_is_told_of_in_one_line_wherever_it_is_met(library: Path, photos: Path, model: Model) -> None:
    _spoil(library, "pictures")
    with closing(Library(library)) as opened:
        with pytest.raises(InputError, match=r"library\.sqlite: is no library or damaged"), opened.state() as scores:
            opened.path(int(scores.pictures[0]))
        with pytest.raises(InputError, match="damaged"):
            opened.thumbnail(1)
        with pytest.raises(InputError, match="damaged"):
            opened.find(photos / "0" / "0.png")
    with pytest.raises(InputError, match="damaged"):
        index(photos, library, model)
    _spoil(library, "about")
    with pytest.raises(InputError, match="damaged"):
        Library(library)


def test_missing_scores_are_told_of(library: Path) -> None:
    rmtree(library / "scores")
    opened = Library(library)
    with pytest.raises(InputError, match="is missing"), opened.state():
        pass
    opened.close()


def test_a_reader_sees_one_state_while_another_process_writes(library: Path, photos: Path, model: Model) -> None:
    opened = Library(library)
    with opened.state() as scores:
        before = scores.logits.copy()
        (photos / "0" / "0.png").unlink()
        draw(photos / "new.png", 70)
        index(photos, library, model)
        assert np.array_equal(scores.logits, before)
        assert all(opened.path(int(picture)).suffix == ".png" for picture in scores.pictures)
        assert "0.png" in {opened.path(int(picture)).name for picture in scores.pictures}
    with opened.state() as scores:
        assert {opened.path(int(picture)).name for picture in scores.pictures} >= {"new.png"}
        assert len(scores.pictures) == 10
    opened.close()


def test_codes_keep_the_order_of_probabilities_at_both_ends() -> None:
    ends = 10.0 ** -np.arange(1, 6.1, 0.01)
    for probabilities in (ends[::-1], 1 - ends):
        codes = encode(probabilities).astype(int)
        assert (np.diff(codes) > 0).all()
    # Half a step of the code moves a probability by less than 0.0001.
    probabilities = np.linspace(0, 1, 10_001)
    assert 1 / (1 + np.exp(-decode(encode(probabilities)))) == pytest.approx(probabilities, abs=1e-4)
    assert decode(encode(np.array([0.0, 0.5, 1.0]))) == pytest.approx([-LIMIT, 0, LIMIT])


def test_a_generation_is_the_one_before_without_what_is_gone_and_with_what_is_new(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)

    def some(numbers: list[int], first: int) -> Scores:
        faces = [[dict(zip(SMALL.names, chance.random(4), strict=True)) for _ in range(number)] for number in numbers]
        made = scores_of(faces, SMALL)
        return Scores(made.logits, made.faces + 100 * first, made.pictures + first, made.starts)

    old, new = some([2, 0, 1, 3, 0], 0), some([1, 0, 2], 10)
    write_scores(tmp_path, 4, old, np.array([3, 5, 99]), new)
    found = Scores.open(tmp_path, 4)
    assert found.pictures.tolist() == [1, 2, 4, 11, 12, 13]
    assert np.diff(found.starts).tolist() == [2, 0, 3, 1, 0, 2]
    assert np.array_equal(found.logits, np.concatenate([old.logits[:, [0, 1, 3, 4, 5]], new.logits], axis=1))
    assert found.faces.tolist() == [1, 2, 4, 5, 6, 1001, 1002, 1003]
    assert found.picture_of(np.arange(8)).tolist() == [0, 0, 2, 2, 2, 3, 5, 5]
