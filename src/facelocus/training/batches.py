"""Batches of faces: which rows at which step, read ahead of the network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facelocus.attributes import FRAME
from facelocus.data.pack import Pack
from facelocus.training.world import World

#: Batches read before they are needed: a slow read then delays nothing.
AHEAD = 4


class Order:
    """The rows of every step: a fresh order every epoch, from seed and epoch alone; what does not fill a batch is left
    to the next epoch's order."""

    def __init__(self, rows: npt.NDArray[np.int64], batch_size: int, seed: int) -> None:
        self.rows, self.batch_size, self.seed = rows, batch_size, seed
        # Drawing an order takes as long as reading a batch: it is kept until the epoch ends. One value, as the thread
        # that reads ahead and the one that trains may stand in two epochs.
        self._drawn = (-1, rows)

    def of_step(self, step: int) -> npt.NDArray[np.int64]:
        """Return the rows of a step, batch_size of them."""
        epoch, at = divmod(step, len(self.rows) // self.batch_size)
        drawn, order = self._drawn
        if epoch != drawn:
            order = self.rows[np.random.default_rng((self.seed, epoch)).permutation(len(self.rows))]
            self._drawn = (epoch, order)
        return order[at * self.batch_size : (at + 1) * self.batch_size]


def some_of(rows: npt.NDArray[np.int64], share: float) -> npt.NDArray[np.int64]:
    """Return a share of the rows, in their order: always the same at random, a smaller share's among a larger's."""
    if share == 1:
        return rows
    return rows[np.sort(np.random.default_rng(0).permutation(len(rows))[: round(share * len(rows))])]


class Batches:
    """Training batches of a Pack on a device: this process's part of each.

    Where the frames fit into a CUDA device's free memory they are put there once and a batch is indexing; elsewhere
    a thread reads the next batches from disk while the network works; where the disk is what limits, more of them gain
    nothing.

    Args:
        pack: the decoded faces.
        rows: row numbers to train on, ascending, at least one batch.
        batch_size: images a step, in all processes together.
        seed: of the order.
        device: where batches go.
        world: the processes.
    """

    def __init__(
        self,
        pack: Pack,
        rows: npt.NDArray[np.int64],
        batch_size: int,
        seed: int,
        device: torch.device,
        world: World,
    ) -> None:
        self.pack, self.rows, self.batch_size, self.device = pack, rows, batch_size, device
        self.world = world
        self._order = Order(rows, batch_size, seed)
        self.part = world.part(batch_size)
        self._resident: Tensor | None = None
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if len(rows) * int(np.prod(FRAME)) < free // 2:
                self._resident = torch.empty((len(rows), *FRAME), dtype=torch.uint8, device=device)
                for start in range(0, len(rows), 4096):
                    frames = pack.frames(rows[start : start + 4096])
                    self._resident[start : start + len(frames)] = torch.from_numpy(frames)
                self._position = np.full(len(pack), -1, dtype=np.int64)
                self._position[rows] = np.arange(len(rows))

    def rows_of(self, step: int) -> npt.NDArray[np.int64]:
        """Return the rows of this process's part of a step."""
        return self._order.of_step(step)[self.part]

    def places_of(self, step: int) -> Tensor:
        """Return where in `rows` those of this process's part of a step stand, int64 on the device."""
        return torch.from_numpy(np.searchsorted(self.rows, self.rows_of(step))).to(self.device)

    def labels(self, rows: npt.NDArray[np.int64]) -> Tensor:
        """Return int8 len(rows) x A on the device."""
        return torch.from_numpy(self.pack.labels[rows]).to(self.device)

    def frames(self, rows: npt.NDArray[np.int64]) -> Tensor:
        """Return uint8 len(rows) x 218 x 178 x 3 on the device."""
        if self._resident is not None:
            return self._resident[torch.from_numpy(self._position[rows]).to(self.device)]
        faces = torch.from_numpy(self.pack.frames(rows))
        return faces.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else faces

    def _read(self, step: int) -> tuple[Tensor, Tensor]:
        rows = self.rows_of(step)
        return self.frames(rows), self.labels(rows)

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (step, faces uint8 B x 218 x 178 x 3, labels int8 B x A) for first <= step < last."""
        if self._resident is not None:
            for step in range(first, last):
                yield step, *self._read(step)
            return
        ahead: deque[Future[tuple[Tensor, Tensor]]] = deque()
        with ThreadPoolExecutor(1) as reader:
            try:
                for step in range(first, last):
                    while len(ahead) < AHEAD and step + len(ahead) < last:
                        ahead.append(reader.submit(self._read, step + len(ahead)))
                    yield step, *ahead.popleft().result()
            finally:
                for waiting in ahead:
                    waiting.cancel()
