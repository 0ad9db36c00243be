"""Which attributes there are, and on which region of the face each one shows.

An AttributeSet travels with labelled faces, recipes, checkpoints and model files; the 40
attributes and 8 regions of the paper are its default, never a constant elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class AttributeSet:
    """Names of A attributes, names of R regions, and the region of each attribute.

    Attributes:
        names: A distinct attribute names, in the order of labels and logits.
        regions: R distinct region names, in the order of sub-networks and masks.
        region_of: for each attribute the name of its region; every region has at least one.

    Raises:
        ValueError: names repeat, a region is unknown or a region has no attribute.
    """

    names: tuple[str, ...]
    regions: tuple[str, ...]
    region_of: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.names:
            raise ValueError("an attribute set needs at least one attribute")
        for kind, values in (("attribute", self.names), ("region", self.regions)):
            repeated = sorted({value for value in values if values.count(value) > 1})
            if repeated:
                raise ValueError(f"{kind} {repeated[0]!r} is named more than once")
        if len(self.region_of) != len(self.names):
            raise ValueError(f"{len(self.names)} attributes but {len(self.region_of)} region entries")
        unknown = sorted(set(self.region_of) - set(self.regions))
        if unknown:
            raise ValueError(f"region {unknown[0]!r} is not one of {', '.join(self.regions)}")
        empty = [region for region in self.regions if region not in self.region_of]
        if empty:
            raise ValueError(f"region {empty[0]!r} has no attribute")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def region_index(self) -> npt.NDArray[np.int64]:
        """Index of the region of each attribute: int64, shape A."""
        return np.array([self.regions.index(region) for region in self.region_of], dtype=np.int64)

    def in_region(self, region: str) -> tuple[str, ...]:
        """Return the attributes of one region, in order."""
        return tuple(name for name, its in zip(self.names, self.region_of, strict=True) if its == region)

    def to_json(self) -> dict[str, list[str]]:
        """Return a JSON-ready mapping that from_json reads back."""
        return {"names": list(self.names), "regions": list(self.regions), "region_of": list(self.region_of)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AttributeSet:
        """Read what to_json wrote; KeyError or ValueError where it is not that."""
        return cls(tuple(value["names"]), tuple(value["regions"]), tuple(value["region_of"]))

    @classmethod
    def by_region(cls, regions: Mapping[str, tuple[str, ...]], order: tuple[str, ...] | None = None) -> AttributeSet:
        """Build a set from region -> attributes; `order` fixes the attribute order (default: as listed)."""
        region_of = {name: region for region, names in regions.items() for name in names}
        names = order if order is not None else tuple(region_of)
        return cls(names, tuple(regions), tuple(region_of[name] for name in names))


# Section 4.2 names the first group; the rest is the division by region of Han et al., which the paper follows.
_BY_REGION = {
    "whole face": (
        "Attractive", "Blurry", "Chubby", "Heavy_Makeup", "Male", "Oval_Face", "Pale_Skin", "Smiling", "Young",
    ),
    "hair": (
        "Bald", "Bangs", "Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair", "Receding_Hairline",
        "Straight_Hair", "Wavy_Hair", "Wearing_Hat",
    ),
    "eyes": ("Arched_Eyebrows", "Bags_Under_Eyes", "Bushy_Eyebrows", "Eyeglasses", "Narrow_Eyes"),
    "nose": ("Big_Nose", "Pointy_Nose"),
    "cheeks and ears": ("High_Cheekbones", "Rosy_Cheeks", "Sideburns", "Wearing_Earrings"),
    "mouth": ("Big_Lips", "Mouth_Slightly_Open", "Mustache", "Wearing_Lipstick"),
    "chin": ("5_o_Clock_Shadow", "Double_Chin", "Goatee", "No_Beard"),
    "neck": ("Wearing_Necklace", "Wearing_Necktie"),
}  # fmt: skip

#: The 40 attributes of CelebA in the order of its label file, and the paper's 8 regions.
CELEBA = AttributeSet.by_region(_BY_REGION, tuple(sorted(n for names in _BY_REGION.values() for n in names)))
ATTRIBUTES = CELEBA.names
REGIONS = CELEBA.regions

#: Rows, columns and channels of an aligned face, uint8 RGB: what a Pack holds and a model file takes.
FRAME = (218, 178, 3)

#: What annotators of CelebA seem to have ticked, judged from its pictures; no definition was ever published.
MEANINGS = {
    "5_o_Clock_Shadow": "stubble of a day or so on chin and cheeks",
    "Arched_Eyebrows": "brows that rise to a bend; mostly ticked where they are shaped",
    "Attractive": "the annotator's taste, about celebrities; mostly young faces with make-up",
    "Bags_Under_Eyes": "swelling or dark rings below the eyes",
    "Bald": "no hair, or next to none, on top of the head",
    "Bangs": "hair over the forehead",
    "Big_Lips": "full lips, to the annotator",
    "Big_Nose": "a broad or large nose, to the annotator",
    "Black_Hair": "hair that looks black in this light",
    "Blond_Hair": "hair that looks blond in this light, dyed or not",
    "Blurry": "the picture is out of focus, moved or coarse",
    "Brown_Hair": "hair that looks brown in this light",
    "Bushy_Eyebrows": "thick brows",
    "Chubby": "a round, heavy face, to the annotator",
    "Double_Chin": "a fold below the chin",
    "Eyeglasses": "glasses, sunglasses among them",
    "Goatee": "a beard on the chin, with bare cheeks or with a full beard",
    "Gray_Hair": "hair that looks grey or white",
    "Heavy_Makeup": "make-up that shows",
    "High_Cheekbones": "cheeks that stand out; mostly because of a smile",
    "Male": "the annotator took the sitter for a man",
    "Mouth_Slightly_Open": "lips apart, wide open included",
    "Mustache": "hair on the upper lip",
    "Narrow_Eyes": "eyes narrow or half shut; squinting and laughing among them",
    "No_Beard": "no hair on chin and cheeks; yes for nearly every woman",
    "Oval_Face": "an oval outline, to the annotator",
    "Pale_Skin": "skin that looks pale; a matter of exposure too",
    "Pointy_Nose": "a narrow, pointed nose, to the annotator",
    "Receding_Hairline": "a hairline further back than usual",
    "Rosy_Cheeks": "cheeks that look red, blush or make-up",
    "Sideburns": "hair in front of the ears, mostly with a beard",
    "Smiling": "a smile, shown teeth or not",
    "Straight_Hair": "hair without waves",
    "Wavy_Hair": "hair with waves or curls",
    "Wearing_Earrings": "earrings that can be seen",
    "Wearing_Hat": "something on the head: hats, caps, helmets, scarves",
    "Wearing_Lipstick": "lips that look painted",
    "Wearing_Necklace": "a necklace, seen or guessed: the frame often ends above it",
    "Wearing_Necktie": "a necktie, seen or guessed; bow ties among them",
    "Young": "the annotator took the sitter for young",
}
