"""Libraries of drawn crops: made, and looked into as a reader would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.library.index import Indexed, index_folders
from facelocus.library.reader import Library
from facelocus.library.scores import Scores, encode
from facelocus.model import Model
from faces import draw_face


def draw(photo: Path, seed: int) -> None:
    """Write the drawn crop of this seed."""
    photo.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_face(seed)).save(photo)


def index(folder: Path, library: Path, model: Model, workers: int = 1) -> Indexed:
    return index_folders([folder], library, model, aligned=True, workers=workers)


def described(library: Path) -> dict[str, tuple[bytes, str | None, bytes]]:
    """Return path -> digest, error and codes of every picture that a reader sees; all of it must fit together."""
    opened = Library(library)
    try:
        with opened.state() as scores:
            store = opened._store
            found = {}
            rows = store.execute("SELECT id, CAST(path AS TEXT), digest, error FROM pictures ORDER BY path").fetchall()
            readable = [row[0] for row in rows if row[3] is None]
            assert sorted(readable) == scores.pictures.tolist()
            assert store.execute("SELECT count(*) FROM faces").fetchone() == (len(scores.faces),)
            for picture, path, digest, error in rows:
                codes = b""
                if error is None:
                    place = int(np.searchsorted(scores.pictures, picture))
                    faces = slice(*scores.starts[place : place + 2])
                    of = [
                        store.execute("SELECT picture, number FROM faces WHERE id = ?", (int(face),)).fetchone()
                        for face in scores.faces[faces]
                    ]
                    assert of == [(picture, number) for number in range(1, len(of) + 1)]
                    assert opened.thumbnail(picture) is not None
                    codes = np.ascontiguousarray(scores.logits[:, faces]).tobytes()
                found[path] = digest, error, codes
            return found
    finally:
        opened.close()


def scores_of(
    pictures: Sequence[Sequence[Mapping[str, float]]], attributes: AttributeSet = CELEBA, others: float = 0.5
) -> Scores:
    """Return the scores of pictures: of each face the probabilities of some attributes, `others` for the rest."""
    faces = [face for picture in pictures for face in picture]
    table = np.array([[face.get(name, others) for name in attributes.names] for face in faces], float)
    return Scores(
        encode(table.reshape(-1, len(attributes)).T),
        np.arange(len(faces)) + 1,
        np.arange(len(pictures)) + 1,
        np.concatenate([[0], np.cumsum([len(picture) for picture in pictures])]).astype(np.int64),
    )
