"""The worked example of learning own attributes: five of CelebA's are held out of training, then learnt from few rows.

    python benchmarks/own_labels.py base PACK RUN

trains the network on the 35 other attributes: the one that a user would start from, had CelebA never had the five.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from facelocus.attributes import AttributeSet
from facelocus.data import Pack
from facelocus.recipes import load_recipe
from facelocus.training.loop import train
from facelocus.training.recipe import Phase, Recipe

#: One each of five regions, from easy and frequent to rare or hard; nothing else says what they say.
HELD_OUT = ("Bangs", "Eyeglasses", "Goatee", "Smiling", "Wearing_Lipstick")


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn five attributes that training had left out.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    base = verbs.add_parser("base", help="train on the 35 other attributes")
    base.add_argument("pack", type=Path)
    base.add_argument("run", type=Path)
    options = parser.parse_args()
    train(
        base_recipe(), without(Pack.open(options.pack), HELD_OUT), options.run, name="base", device=torch.device("cpu")
    )


def base_recipe() -> Recipe:
    """Return `refine`'s augmentation from ImageNet weights, most of it at the small size."""
    refine = load_recipe("refine")
    phases = (Phase(epochs=2, size=(136, 112)), Phase(epochs=0.75))
    return replace(refine, phases=phases, optimizer=load_recipe("default").optimizer)


def without(pack: Pack, names: tuple[str, ...]) -> Pack:
    """Return the Pack with the columns of some attributes taken away."""
    kept = [name for name in pack.attributes.names if name not in names]
    columns = [pack.attributes.names.index(name) for name in kept]
    region_of = tuple(pack.attributes.region_of[column] for column in columns)
    return replace(
        pack, labels=pack.labels[:, columns], attributes=AttributeSet(tuple(kept), pack.attributes.regions, region_of)
    )


if __name__ == "__main__":
    main()
