"""One phase of a run: which part of the network learns, and what it is fed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from facelocus.images.regions import region_maps
from facelocus.nn.network import RegionNetwork
from facelocus.training.augment import augment
from facelocus.training.batches import Batches
from facelocus.training.penalty import mask_penalty
from facelocus.training.precision import precision_on
from facelocus.training.recipe import Penalty, Recipe
from facelocus.training.teachers import Answers

#: A frozen trunk's features are kept for so many random variants of each face, as far as they fit.
VARIANTS = 8
CACHE_BYTES = 2**31
_CHUNK = 64  # faces at once while features are computed for keeping


class Stage:
    """A phase, made ready: calling it gives the logits of a batch that `steps` yields, and the masks' penalty.

    With a frozen trunk a batch is features: of every face some random variants go through the trunk once, and
    each step takes one of them. Where not even one fits into CACHE_BYTES, features are computed at every step.

    Args:
        network: the network; its input size and what of it learns are set here.
        recipe: the run's.
        phase: index of the phase.
        length: its steps, all of them.
        batches: the faces; more processes than one are joined by DistributedDataParallel.
        answers: what teachers say of a step's batch.
    """

    def __init__(
        self,
        network: RegionNetwork,
        recipe: Recipe,
        phase: int,
        length: int,
        batches: Batches,
        answers: Answers | None = None,
    ) -> None:
        self.network, self.recipe, self.batches, self._answers = network, recipe, batches, answers
        self.phase, self.frozen = phase, recipe.phases[phase].frozen
        network.set_input_size(recipe.phases[phase].size or recipe.network.size, recipe.network.crop)
        network.trunk.requires_grad_(not self.frozen)
        self._maps: Tensor | None = None
        self._generator = torch.Generator(batches.device)
        self._kept = self._keep(length) if self.frozen else None
        learning: nn.Module = _Heads(network) if self.frozen else network
        self._learning = DistributedDataParallel(learning) if batches.world.size > 1 else learning

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (step, what to call this with, labels int8 B x A) for first <= step < last."""
        if self._kept is not None:
            for step in range(first, last):
                rows = self.batches.rows_of(step)
                at = torch.from_numpy(np.searchsorted(self.batches.rows, rows))
                random = np.random.default_rng((self.recipe.seed, step, 1))
                variant = random.integers(len(self._kept), size=self.batches.batch_size)[self.batches.part]
                features = self._kept[torch.from_numpy(variant), at]
                yield step, features.to(self.batches.device), self.batches.labels(rows)
            return
        for step, faces, labels in self.batches.steps(first, last):
            self._generator.manual_seed(_seed(self.recipe.seed, step))
            frames = augment(
                _floats(faces), self.recipe.augment, self._generator, self.batches.batch_size, self.batches.part
            )
            yield step, self._features(frames) if self.frozen else frames, labels

    def __call__(self, batch: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the logits of a batch, B x A, in training mode, and what its masks are charged, if anything."""
        self.network.train()
        if self.frozen:
            self.network.trunk.eval()
        with self._autocast():
            if self.recipe.penalty == Penalty():
                return self._learning(batch), None
            logits, masks = self._learning(batch, masks=True)
        if self._maps is None:
            maps = region_maps(self.network.attributes.regions, (masks.shape[2], masks.shape[3]))
            self._maps = torch.tensor(maps, device=masks.device)
        return logits, mask_penalty(masks.float(), self._maps, self.recipe.penalty)

    def answers(self, step: int, batch: Tensor) -> Tensor | None:
        """Return what the teachers say of the batch of a step: probabilities B x A; None without any."""
        if self._answers is None:
            return None
        with self._autocast():
            return self._answers(step, batch)

    def _autocast(self) -> torch.autocast:
        device = self.batches.device
        bf16 = precision_on(device, self.recipe.precision) == "bf16"
        return torch.autocast(device.type, torch.bfloat16, enabled=bf16)

    @torch.no_grad()
    def _features(self, frames: Tensor) -> Tensor:
        self.network.trunk.eval()
        with self._autocast():
            return self.network.features(frames)

    def _keep(self, length: int) -> Tensor | None:
        """Return V x N x C x h x w features of the training faces, in memory, or None where they do not fit."""
        rows = self.batches.rows
        like = self._features(_floats(self.batches.frames(rows[:1])))
        fitting = CACHE_BYTES // (len(rows) * like.nbytes)
        # No more than the phase looks at.
        variants = min(VARIANTS, fitting, -(-length * self.batches.batch_size // len(rows)))
        if variants == 0:
            return None
        kept = torch.empty((variants, len(rows), *like.shape[1:]), dtype=like.dtype)
        chunks = [(variant, start) for variant in range(variants) for start in range(0, len(rows), _CHUNK)]
        for variant, start in tqdm(chunks, desc="features of the trunk", unit="batch", leave=False, disable=None):
            self._generator.manual_seed(_seed(self.recipe.seed, self.phase, variant, start))
            frames = _floats(self.batches.frames(rows[start : start + _CHUNK]))
            frames = augment(frames, self.recipe.augment, self._generator)
            kept[variant, start : start + len(frames)] = self._features(frames)
        return kept


class _Heads(nn.Module):
    """What learns over a frozen trunk."""

    def __init__(self, network: RegionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, shared: Tensor, masks: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        return self.network.heads(shared, masks)


def _floats(faces: Tensor) -> Tensor:
    """Return uint8 B x H x W x 3 as B x 3 x H x W floats in 0-255."""
    return faces.permute(0, 3, 1, 2).float()


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
