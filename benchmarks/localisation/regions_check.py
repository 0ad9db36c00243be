"""Do the regions lie where the labels say? Pixels regressed on labels: no network and no mask has a part in it.

    python benchmarks/localisation/regions_check.py CELEBA --json results/localisation/regions.json \
        --figure docs/regions_check.png

Each pixel's three colours and its roughness (the distance from a blurred copy) are fitted by least squares to all forty
labels at once, so that what goes with an attribute (lipstick with long hair) is not taken for it. An attribute's map is
its coefficients over their errors, squared; a region's is the mean over its attributes. If the regions are drawn where
their attributes show, a region's map lies in it more than the other regions' maps do.
"""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from facelocus.attributes import CELEBA
from facelocus.data.pack import Pack, open_pack
from facelocus.files import write_atomically, write_record
from facelocus.images.heatmaps import drawn_head, mask_grid
from facelocus.images.regions import region_maps
from facelocus.metrics.localisation import concentration, own_and_others, pointing
from facelocus.provenance import commit, now, versions

#: Frames are averaged over squares of so many pixels.
CELL = 2


def main() -> None:
    parser = argparse.ArgumentParser(description="Check the regions against pixels and labels alone.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--faces", type=int, default=20_000, help="of the train split, every so many")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--figure", type=Path, required=True)
    options = parser.parse_args()
    pack = open_pack(options.data)
    rows = pack.rows("train")
    rows = rows[np.linspace(0, len(rows) - 1, min(options.faces, len(rows))).astype(int)]
    maps = by_region(attribute_maps(pack, rows))[None]
    regions = region_maps(size=maps.shape[2:])
    own, others = own_and_others(concentration(maps, regions))
    inside, chance = pointing(maps, regions)
    record = {
        "what": "regions against pixels regressed on labels",
        "faces": len(rows),
        "data": {"description": pack.description, "fingerprint": pack.fingerprint},
        "regions": {
            name: {
                "own": round(float(own[0, r]), 3),
                "others": round(float(others[0, r]), 3),
                "highest inside": bool(inside[0, r]),
                "highest inside by chance": round(float(chance[r]), 3),
            }
            for r, name in enumerate(CELEBA.regions)
        },
        "commit": commit(),
        "date": now(),
        "versions": versions("numpy"),
    }
    write_record(options.json, record)
    with BytesIO() as buffer:
        highest = np.sqrt(maps[0] / maps[0].max(axis=(1, 2), keepdims=True))
        mask_grid(drawn_head(), highest.astype(np.float32), CELEBA.regions, (214, 262)).save(buffer, "PNG")
        write_atomically(options.figure, buffer.getvalue())


def attribute_maps(pack: Pack, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return A x h x w: how surely each cell's look goes with each attribute, all others held."""
    labels = np.column_stack([np.ones(len(rows)), pack.labels[rows].astype(np.float64)])
    inverse = np.linalg.inv(labels.T @ labels)
    products, squares = 0.0, 0.0
    for start in tqdm(range(0, len(rows), 256), desc="regressing", unit="batch", disable=None):
        looks = cells(pack.frames(rows[start : start + 256]))
        products = products + labels[start : start + 256].T @ looks
        squares = squares + (looks**2).sum(0)
    coefficients = inverse @ products
    left = (squares - (coefficients * products).sum(0)) / (len(rows) - labels.shape[1])
    certainty = coefficients**2 / (np.diag(inverse)[:, None] * left)
    height, width = (side // CELL for side in pack.frames(rows[:1]).shape[1:3])
    return certainty[1:].reshape(len(CELEBA), height, width, -1).mean(3)


def cells(frames: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Return N x (h w 4): colours of each cell, and how far its brightness is from the mean around it."""
    height, width = (side // CELL for side in frames.shape[1:3])
    small = frames[:, : height * CELL, : width * CELL].reshape(-1, height, CELL, width, CELL, 3).mean((2, 4))
    bright = np.pad(small.mean(3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = sum(bright[:, y : y + height, x : x + width] for y in range(3) for x in range(3)) / 9
    rough = np.abs(small.mean(3) - around)
    return np.concatenate([small, rough[..., None]], 3).reshape(len(frames), -1)


def by_region(maps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean over each region's attributes, each attribute's map counting alike: R x h x w."""
    alike = maps / maps.mean((1, 2), keepdims=True)
    return np.stack([alike[CELEBA.region_index == r].mean(0) for r in range(len(CELEBA.regions))])


if __name__ == "__main__":
    main()
