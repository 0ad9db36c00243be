"""Batches of faces: which rows at which step, read ahead of the network."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from facelocus.data.pack import Pack


def rows_of_step(rows: npt.NDArray[np.int64], step: int, batch_size: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the rows of one step: a fresh order every epoch, from seed and epoch alone; what does not fill a
    batch is left to the next epoch's order."""
    steps = len(rows) // batch_size
    epoch, at = divmod(step, steps)
    order = np.random.default_rng((seed, epoch)).permutation(len(rows))
    return rows[order[at * batch_size : (at + 1) * batch_size]]


class Batches:
    """Training batches of a Pack on a device.

    Where the frames fit into a CUDA device's free memory they are put there once and a batch is indexing; elsewhere a
    thread reads the next batch from the memory map while the network works.

    Args:
        pack: the decoded faces.
        rows: row numbers to train on, at least one batch.
        batch_size: images a step.
        seed: of the order.
        device: where batches go.
    """

    def __init__(
        self, pack: Pack, rows: npt.NDArray[np.int64], batch_size: int, seed: int, device: torch.device
    ) -> None:
        self.pack, self.rows, self.batch_size, self.seed, self.device = pack, rows, batch_size, seed, device
        self._resident: Tensor | None = None
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if len(rows) * int(np.prod(pack.faces.shape[1:])) < free // 2:
                self._resident = torch.empty((len(rows), *pack.faces.shape[1:]), dtype=torch.uint8, device=device)
                for start in range(0, len(rows), 4096):
                    part = pack.faces[rows[start : start + 4096]]
                    self._resident[start : start + len(part)] = torch.from_numpy(part)
                self._position = np.full(len(pack), -1, dtype=np.int64)
                self._position[rows] = np.arange(len(rows))

    def _read(self, step: int) -> tuple[Tensor, Tensor]:
        rows = rows_of_step(self.rows, step, self.batch_size, self.seed)
        labels = torch.from_numpy(self.pack.labels[rows])
        if self._resident is not None:
            index = torch.from_numpy(self._position[rows]).to(self.device)
            return self._resident[index], labels.to(self.device)
        faces = torch.from_numpy(self.pack.faces[rows])
        if self.device.type == "cuda":
            faces, labels = faces.pin_memory(), labels.pin_memory()
        return faces.to(self.device, non_blocking=True), labels.to(self.device, non_blocking=True)

    def steps(self, first: int, last: int) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield (step, faces uint8 B x 218 x 178 x 3, labels int8 B x A) for first <= step < last."""
        if self._resident is not None:
            for step in range(first, last):
                yield step, *self._read(step)
            return
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(self._read, first) if first < last else None
            for step in range(first, last):
                assert ahead is not None
                faces, labels = ahead.result()
                ahead = reader.submit(self._read, step + 1) if step + 1 < last else None
                yield step, faces, labels
