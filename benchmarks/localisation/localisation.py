"""Runs of a grid, measured for where they look: a line each.

    python benchmarks/localisation/localisation.py PACK RUNS... --results results/localisation/masks.jsonl

Each run of a grid is looked at through its masks where it has some, and through what any network gives for free:
HiResCAM at the excited features, which is exact here (facelocus.nn.contributions), and Grad-CAM at the trunk's features
by its own library (pip install grad-cam). A region's map is the mean over its attributes, each pulled towards the
answer that was given. What has its line is not measured again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pytorch_grad_cam import GradCAM
from torch import Tensor

from facelocus.data.pack import open_pack
from facelocus.files import write_atomically
from facelocus.images.read import RGB
from facelocus.nn.contributions import contributions
from facelocus.nn.network import RegionNetwork
from facelocus.provenance import commit, cpu_name, now, versions
from facelocus.reports.localisation import measure_localisation
from facelocus.reports.localisation.looks import MAPS
from facelocus.training.run import load_run

Maps = npt.NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure where the runs of a grid look.")
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--faces", type=int, default=1000, help="of the test split, every so many")
    parser.add_argument("--faithful", type=int, default=200, help="how many of them are hidden in parts, too")
    parser.add_argument("--through", nargs="+", choices=MAPS, default=list(MAPS), help="by default all")
    options = parser.parse_args()
    pack = open_pack(options.data)
    test = pack.rows("test")
    rows = test[np.linspace(0, len(test) - 1, min(options.faces, len(test))).astype(int)]
    # The first of them are hidden in parts: let these be spread too.
    rows = rows[np.random.default_rng(0).permutation(len(rows))]
    lines = options.results.read_text().splitlines() if options.results.exists() else []
    done = {(line["run"], line["maps"]) for line in map(json.loads, lines)}
    for folder in options.runs:
        model = load_run(folder)
        record = json.loads((folder / "record.json").read_text())
        run = f"{record['recipe']}/{record['seed']}"
        for kind, look in kinds(model.network).items():
            if kind not in options.through or (run, kind) in done:
                continue
            found = measure_localisation(
                lambda frames, model=model: model.predict(frames).probabilities,
                look,
                model.attributes,
                np.full(len(model.attributes), 0.5, np.float32),
                pack,
                rows,
                options.faithful,
            )
            line = {
                "run": run,
                "maps": kind,
                "module": model.network.spec.attention,
                "seed": model.metadata["training"]["seed"],
                "trained at": model.metadata["training"]["commit"],
                "data": {"description": pack.description, "fingerprint": pack.fingerprint},
                **found,
                "commit": commit(),
                "date": now(),
                "device": cpu_name(),
                "versions": versions("torch", "grad-cam", "numpy"),
            }
            lines.append(json.dumps(line))
            write_atomically(options.results, "\n".join(lines) + "\n")
            print(f"{run}, {kind}: own {found['own'][0]:.2f}, others {found['others'][0]:.2f}", flush=True)


def kinds(network: RegionNetwork) -> dict[str, Callable[[RGB], Maps]]:
    """Return what a network can be looked at through."""
    network.eval()
    looks = {"hirescam": hirescam(network), "gradcam": gradcam(network)}
    return ({"masks": masks(network)} if network.sub_networks.has_masks else {}) | looks


def masks(network: RegionNetwork) -> Callable[[RGB], Maps]:
    """Return a function of frames to the network's masks."""

    @torch.no_grad()
    def look(frames: RGB) -> Maps:
        return np.asarray(network(torch.from_numpy(frames), masks=True)[1])

    return look


def hirescam(network: RegionNetwork) -> Callable[[RGB], Maps]:
    """Return a function of frames to what each position adds to a region's answers."""

    @torch.no_grad()
    def look(frames: RGB) -> Maps:
        images = torch.from_numpy(frames)
        maps, constants = contributions(network, images)
        answers = torch.sign(maps.sum((2, 3)) + constants)
        return by_region(network, (maps * answers[:, :, None, None]).clamp(min=0)).numpy()

    return look


def gradcam(network: RegionNetwork) -> Callable[[RGB], Maps]:
    """Return a function of frames to Grad-CAM of each region's answers at the features that all sub-networks share."""
    library = GradCAM(network, [network.trunk])

    def look(frames: RGB) -> Maps:
        images = torch.from_numpy(frames).permute(0, 3, 1, 2).float()
        with torch.no_grad():
            answers = torch.sign(network(images))
        maps = []
        for region in range(len(network.attributes.regions)):
            own = network.region_index == region
            targets = [Answers(own, answer) for answer in answers]
            library(input_tensor=images, targets=targets)
            # The library scales each map to 0 to 1 and to the picture's size: taken is what it makes them from.
            kept = library.activations_and_grads
            features, gradients = kept.activations[0], kept.gradients[0]
            maps.append(torch.relu((gradients.mean((2, 3), keepdim=True) * features).sum(1)))
        return torch.stack(maps, 1).detach().numpy()

    return look


class Answers:
    """The sum of a region's logits, each with the sign of the answer: what Grad-CAM is asked about."""

    def __init__(self, own: Tensor, answer: Tensor) -> None:
        self.own, self.answer = own, answer

    def __call__(self, logits: Tensor) -> Tensor:
        return (logits * self.answer)[self.own].sum()


def by_region(network: RegionNetwork, maps: Tensor) -> Tensor:
    """Return the mean over each region's attributes: B x A x h x w -> B x R x h x w."""
    regions = len(network.attributes.regions)
    summed = maps.new_zeros(len(maps), regions, *maps.shape[2:]).index_add_(1, network.region_index, maps)
    counts: Any = torch.bincount(network.region_index, minlength=regions)
    return summed / counts[None, :, None, None]


if __name__ == "__main__":
    main()
