"""Reading a library while another process may be writing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from facelocus.errors import InputError
from facelocus.library.changes import digest_of
from facelocus.library.scores import Scores
from facelocus.library.store import open_store, path_of, read_about, read_generation, readable, transaction


@dataclass(frozen=True)
class Face:
    """One face of a library.

    Attributes:
        id: in the library.
        number: which face of the photograph, 1 for the largest.
        box: (x0, y0, x1, y1) in pixels of the photograph.
        trust: how far its attributes can be trusted, in [0, 1].
    """

    id: int
    number: int
    box: tuple[float, float, float, float]
    trust: float


class Library:
    """A library, open to be searched by one thread.

    Attributes:
        folder: where it lies.
        about: the model and attributes of its scores.

    Raises:
        InputError, UsageError: as open_store; or it holds no photograph yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._store = open_store(folder)
        with readable(folder):
            about, generation = read_about(self._store), read_generation(self._store)
        if about is None or not generation:
            raise InputError(f"{folder} holds no photograph yet: run `facelocus index PICTURES --to {folder}`")
        self.about = about
        self._open: tuple[int, Scores] | None = None

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    @contextmanager
    def state(self) -> Iterator[Scores]:
        """The scores in force; what is asked within is answered of the same state, whatever is written meanwhile.

        Raises:
            InputError: they are missing or damaged, or the database is.
            StorageError: the database cannot be read.
        """
        missing = 0
        while True:
            with readable(self.folder), transaction(self._store, to_write=False):
                generation = read_generation(self._store)
                try:
                    if self._open is None or self._open[0] != generation:
                        self._open = generation, Scores.open(self.folder, generation)
                except FileNotFoundError as error:
                    if generation == missing:
                        place = self.folder / "scores" / str(generation)
                        raise InputError(f"{place} is missing: make the library anew, from the photographs") from error
                    missing = generation  # replaced since the transaction began: the next one sees what by
                    continue
                yield self._open[1]
                return

    def path(self, picture: int) -> Path:
        """Return where a picture lies."""
        (path,) = self._store.execute("SELECT path FROM pictures WHERE id = ?", (picture,)).fetchone()
        return path_of(path)

    def faces(self, faces: Sequence[int]) -> list[Face]:
        """Return faces by their ids."""
        found = []
        for face in faces:
            number, *box, trust = self._store.execute(
                "SELECT number, x0, y0, x1, y1, trust FROM faces WHERE id = ?", (int(face),)
            ).fetchone()
            found.append(Face(int(face), number, tuple(box), trust))
        return found

    def find(self, photo: Path) -> int | None:
        """Return the id of a picture of this file's content that could be read; None where there is none."""
        with readable(self.folder):
            found = self._store.execute(
                "SELECT id FROM pictures WHERE digest = ? AND error IS NULL", (digest_of(photo),)
            ).fetchone()
        return None if found is None else int(found[0])

    def thumbnail(self, picture: int) -> bytes | None:
        """Return a JPEG file of a picture, its longer side 192 pixels."""
        with readable(self.folder):
            found = self._store.execute(
                "SELECT jpeg FROM pictures JOIN thumbnails USING (digest) WHERE id = ?", (picture,)
            ).fetchone()
        return None if found is None else bytes(found[0])
