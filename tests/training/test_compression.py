"""Compression on the device leaves what a JPEG file leaves."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from facelocus.training.compression import compress
from faces import draw_face


@pytest.mark.parametrize("quality", [15, 40, 75, 95])
def test_it_is_what_a_jpeg_file_gives_back(quality: int) -> None:
    face = draw_face(3)
    with io.BytesIO() as file:
        Image.fromarray(face).save(file, "JPEG", quality=quality, subsampling="4:2:0")
        stored = np.asarray(Image.open(file).convert("RGB")).astype(float)
    frames = torch.from_numpy(face).permute(2, 0, 1)[None].float()
    ours = compress(frames, torch.tensor([float(quality)]))[0].permute(1, 2, 0).numpy()
    lost = np.abs(stored - face).mean()
    assert np.abs(ours - stored).mean() < 0.25 * lost + 0.6  # libjpeg rounds colours and pixels to whole numbers


def test_lower_quality_loses_more_and_each_image_has_its_own() -> None:
    frames = torch.from_numpy(draw_face(3)).permute(2, 0, 1).float().expand(3, -1, -1, -1)
    lost = (compress(frames, torch.tensor([10.0, 50.0, 100.0])) - frames).abs().mean((1, 2, 3)).tolist()
    assert lost[0] > 1.5 * lost[1] > 2 * lost[2]
    alone = compress(frames[:1], torch.tensor([50.0]))
    torch.testing.assert_close(compress(frames, torch.tensor([10.0, 50.0, 100.0]))[1:2], alone)


def test_a_plain_picture_stays_plain() -> None:
    frames = torch.full((2, 3, 33, 50), 77.0)
    torch.testing.assert_close(compress(frames, torch.tensor([20.0, 90.0])), frames, atol=4.0, rtol=0)
