"""Few training faces made many: each as itself and in distorted copies.

The paper: "As LFWA dataset is so small that it will be quite easy to overfit the training set, we add some distortion
to the training set, and expand the training set to over 75 thousand images" (section 4.1): 12 times its 6,263. How the
distortions look is left open; DISTORTIONS is what stands for them here. A recipe may draw them anew at every step, as
its `augment`, or they are drawn once and a Pack holds them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from facelocus.attributes import FRAME
from facelocus.data.pack import Pack, copied, copy_name
from facelocus.data.table import FaceTable
from facelocus.errors import DataError, UsageError
from facelocus.training.augment import augment
from facelocus.training.recipe import Augment

DISTORTIONS = Augment(
    # A face and its mirror image have the same labels.
    flip=0.5,
    # About twice what our own alignment is off by: deviations of 2.5 % in scale, 1.1 degrees and 0.8 pixels
    # (results/photographs/registration.json): the same face as another look at it may frame it.
    scale=0.05,
    rotation=2.0,
    shift=2.0,
    # The light of another photograph; hair and skin are labelled by their colour, so no more than that.
    brightness=0.2,
    contrast=0.2,
    saturation=0.2,
    # The warp blurs, and a network must also see pictures as sharp as those it is measured on.
    sharpness=1.0,
    # Neither blur, noise nor compression: Blurry is one of the labels, and LFWA's two halves come from one source.
)


def expand(pack: Pack, folder: Path, times: int, seed: int = 0, workers: int | None = None) -> Pack:
    """Write a Pack in which each training face appears `times` times, and return it; one of this making is reused.

    The rows of `pack` come first, as they are, validation and test with them. Then follow a first distorted copy of
    every training face, a second one, and so on: called NAME#1, NAME#2, with the labels and the person of NAME. How
    it is distorted depends on its name and the seed alone. A making that was stopped goes on, as that of Pack.build
    does; memory does not grow with the number of copies but by their names.

    Args:
        pack: the faces.
        folder: of the new Pack.
        times: 2 or more: once as itself, otherwise as copies.
        seed: of the distortions.
        workers: processes, by default one for each core; see Pack.build.

    Raises:
        UsageError: `times` is below 2.
        DataError: there are no training faces, they are expanded already, or `folder` holds something else.
        StorageError: not enough space, or no permission.
    """
    if times < 2:
        raise UsageError(f"each face {times} times is no expansion; choose 2 or more")
    train = pack.rows("train")
    if not train.size:
        raise DataError(f"{pack.folder} has no training faces ({pack.description}); only those are expanded")
    if copies := [name for name in pack.names if copied(name) != name]:
        raise DataError(f"{pack.folder} holds a distorted copy, {copies[0]}; expand the Pack that it was made of")
    rows = np.concatenate([np.arange(len(pack)), np.tile(train, times - 1)])
    numbers = np.concatenate([np.zeros(len(pack), np.int64), np.repeat(np.arange(1, times), len(train))])
    sources = {
        copy_name(pack.names[row], number): (row, number)
        for row, number in zip(rows.tolist(), numbers.tolist(), strict=True)
    }
    table = FaceTable(
        attributes=pack.attributes,
        images=_Faces(pack.folder, pack.fingerprint, sources, seed),
        names=tuple(map(copy_name, (pack.names[row] for row in rows), numbers.tolist())),
        labels=pack.labels[rows],
        splits=pack.splits[rows],
        people=None if pack.people is None else pack.people[rows],
        aligned=True,
        description=(
            f"{pack.description}, expanded: {len(train):,} training faces {times} times, "
            f"once as they are, otherwise distorted, seed {seed}"
        ),
    )
    return Pack.build(table, folder, workers)


@dataclass(frozen=True)
class _Faces:
    """Faces of a Pack and distorted copies of them, as image files: an ImageStore.

    Attributes:
        folder: of the Pack.
        fingerprint: of the Pack.
        sources: name -> the row in the Pack, and the number of the copy, 0 for the face itself.
        seed: of the distortions.
    """

    folder: Path
    fingerprint: str
    sources: Mapping[str, tuple[int, int]]
    seed: int

    def read(self, name: str) -> bytes:
        row, number = self.sources[name]
        face: npt.NDArray[np.uint8] = _opened(self.folder, self.fingerprint).frames(np.array([row]))[0]
        if number:
            face = _distorted(face, int.from_bytes(_hash(f"{self.seed}\n{name}")[:8], "little"))
        rows, columns, _ = FRAME
        return b"P6 %d %d 255\n" % (columns, rows) + face.tobytes()  # PPM: a header and the pixels

    def only(self, names: Sequence[str]) -> _Faces:
        return replace(self, sources={name: self.sources[name] for name in names})

    def stamps(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        # What decides a picture, beside its name, is the same for all.
        made_of = json.dumps([self.fingerprint, self.seed, asdict(DISTORTIONS)])
        return np.full(len(names), int.from_bytes(_hash(made_of)[:7], "little"), np.int64)

    def where(self, name: str) -> str:
        return f"{self.folder} {name}"

    def close(self) -> None:
        """The Pack stays open for the next task."""


def _distorted(face: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
    """Return a distorted copy of a face, uint8, 218 x 178 x 3."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in another order would round otherwise
    try:
        frames = torch.from_numpy(face).permute(2, 0, 1).float().contiguous()[None]
        changed = augment(frames, DISTORTIONS, torch.Generator().manual_seed(seed))[0]
    finally:
        torch.set_num_threads(threads)
    copy: npt.NDArray[np.uint8] = changed.round().byte().permute(1, 2, 0).contiguous().numpy()
    return copy


@lru_cache(maxsize=1)
def _opened(folder: Path, fingerprint: str) -> Pack:
    """Open a Pack once a process; its fingerprint tells it from another that lay there before."""
    return Pack.open(folder)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()  # a name may hold bytes that are no text
