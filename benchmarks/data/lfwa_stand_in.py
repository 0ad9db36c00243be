"""A stand-in for LFWA where its labels are not at hand: photographs of LFW, labelled by the shipped model.

    python benchmarks/data/lfwa_stand_in.py LFW.zip OUT_PACK

LFW.zip holds lfw/PERSON/PERSON_0001.jpg. The face of each photograph is found and aligned as packing does, and what the
model decides about it at its accuracy thresholds stands in for its labels. Half of the photographs are test, as in
LFWA, nobody is in both halves, and validation is taken from the other half as the reader of LFWA does. A network that
learns from this learns what the model thinks: its accuracy here is agreement with that model and stands beside no
other number.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from facelocus.data import FaceTable, Pack
from facelocus.data.decode import decode_photograph
from facelocus.data.readers.splits import complete
from facelocus.data.readers.tree import ZipTree
from facelocus.data.table import SPLITS, ImageStore
from facelocus.errors import DataError
from facelocus.model import Model

FOLDER = "lfw"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lfw", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    pack = Pack.build(stand_in(options.lfw, Model.load(threads=1)), options.out, workers=1)
    counts = ", ".join(f"{len(pack.rows(split)):,} {split}" for split in SPLITS)
    print(f"{options.out}: {pack.description}; {counts}")


def stand_in(archive: Path, model: Model) -> FaceTable:
    """Return the photographs of an archive with the model's decisions as labels.

    Raises:
        DataError: the archive holds no photographs below the folder lfw, or one is damaged.
    """
    tree = ZipTree.of(archive)
    people = [folder.removeprefix(f"{FOLDER}/") for folder in tree.folders if folder.startswith(f"{FOLDER}/")]
    files = [(i, f) for i, who in enumerate(people) for f in tree.folders[f"{FOLDER}/{who}"] if f.endswith(".jpg")]
    if not files:
        raise DataError(f"{archive} has no photographs {FOLDER}/PERSON/*.jpg; name an archive of LFW")
    names = tuple(f"{people[i]}/{file}" for i, file in files)
    of = np.array([i for i, _ in files])
    images = tree.images(FOLDER)
    splits, made = complete(halves(of, people), of, people, "person")
    return FaceTable(
        attributes=model.attributes,
        images=images,
        names=names,
        labels=decisions(names, images, model),
        splits=splits,
        people=of.astype(np.int32),
        aligned=False,
        description=(
            f"LFW subset, STAND-IN labels by the shipped model ({model.name}, sha256 {model.sha256}), not LFWA's; "
            f"{len(names):,} photographs, half of them test by person, {made}"
        ),
    )


def decisions(names: tuple[str, ...], images: ImageStore, model: Model) -> npt.NDArray[np.int8]:
    """Return what the model decides, int8 N x A: 1 yes, 0 no; -1 where no face is found, which packing leaves out."""
    labels = np.full((len(names), len(model.attributes)), -1, np.int8)
    for row, name in enumerate(tqdm(names, desc="labelling", unit="image", disable=None)):
        face = decode_photograph(images.read(name), images.where(name))
        if face is not None:
            labels[row] = model.predict(face[None]).probabilities[0] >= model.thresholds["accuracy"]
    return labels


def halves(of: npt.NDArray[np.int64], people: list[str]) -> npt.NDArray[np.int8]:
    """Return a split of each photograph, int8 N: train, or test for people who have half of the photographs.

    People are ordered by a hash of their name, so that the same archive is always divided alike.
    """
    order = np.array(sorted(range(len(people)), key=lambda i: hashlib.sha256(people[i].encode()).digest()))
    so_far = np.cumsum(np.bincount(of, minlength=len(people))[order])
    test = order[: int(np.abs(so_far - len(of) / 2).argmin()) + 1]
    return np.where(np.isin(of, test), SPLITS.index("test"), SPLITS.index("train")).astype(np.int8)


if __name__ == "__main__":
    main()
