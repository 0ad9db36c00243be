"""A stock fine-tune, by which the recipe `laptop` is measured; it stays as it is, whatever becomes faster.

As a good engineer writes it first: timm's EfficientNet-lite0 with its ImageNet weights and a layer of 40 logits, JPEGs
through a DataLoader, one input size, mirror images, AdamW with a cosine, batches of 64.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import timm
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from facelocus.data import FaceTable, read_table
from facelocus.nn.backbones.timm_trunk import load_packaged

TRUNK, SIZE, BATCH, EPOCHS, RATE = "tf_efficientnet_lite0", (136, 112), 64, 1.5, 1e-3
_WORKERS = 1


class Faces(Dataset[tuple[Tensor, Tensor]]):
    """Pictures of a table as 3 x 136 x 112 in about -1 to 1, with their labels as 0 and 1."""

    def __init__(self, table: FaceTable, rows: npt.NDArray[np.int64], training: bool) -> None:
        self.table, self.rows, self.training = table, rows, training

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: int) -> tuple[Tensor, Tensor]:
        row = self.rows[at]
        image = Image.open(io.BytesIO(self.table.images.read(self.table.names[row]))).convert("RGB")
        image = image.resize(SIZE[::-1], Image.Resampling.BILINEAR)
        if self.training and torch.rand(()) < 0.5:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float()
        return (pixels / 255 - 0.498) / 0.502, torch.from_numpy(self.table.labels[row] == 1).float()


def fine_tune(data: Path, seed: int) -> tuple[dict[str, Any], Any]:
    """Train on CelebA's training images.

    Returns:
        {"seconds", "steps"} of the training, and a function from rows to probabilities B x 40.
    """
    table = read_table(data)
    rows = np.flatnonzero(table.splits == 0)
    torch.manual_seed(seed)
    model = timm.create_model(TRUNK, num_classes=1000)
    load_packaged(model, TRUNK)
    model.reset_classifier(len(table.attributes.names))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    steps = round(EPOCHS * len(rows)) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.05)
    loader = DataLoader(
        Faces(table, rows, training=True), BATCH, shuffle=True, num_workers=_WORKERS, drop_last=True,
        persistent_workers=_WORKERS > 0,
    )  # fmt: skip
    started, done = time.perf_counter(), 0
    model.train()
    while done < steps:
        for images, labels in loader:
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(model(images), labels).backward()
            optimizer.step()
            schedule.step()
            done += 1
            if done == steps:
                break
    seconds = time.perf_counter() - started
    return {"seconds": round(seconds, 1), "steps": steps}, lambda of: _predict(model, table, of)


@torch.no_grad()
def _predict(model: nn.Module, table: FaceTable, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    model.eval()
    loader = DataLoader(Faces(table, rows, training=False), BATCH, num_workers=_WORKERS)
    return torch.cat([torch.sigmoid(model(images)) for images, _ in loader]).numpy()
