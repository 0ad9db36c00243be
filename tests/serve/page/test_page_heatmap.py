"""The mask over a face: the colours that Python draws, and none where a mask is flat."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from browsers import sync_api

RED, BLUE = np.array([214, 39, 40]), np.array([31, 94, 200])
DRAWN = """async ([mask, opacity, seen]) => {
  const { draw, drawScale } = await import("./page/ui/heatmap.js");
  const white = new OffscreenCanvas(178, 218);
  const ground = white.getContext("2d");
  ground.fillStyle = "white";
  ground.fillRect(0, 0, 178, 218);
  const canvas = Object.assign(document.createElement("canvas"), { width: 356, height: 436 });
  draw(canvas, white, { frame: null }, mask, opacity, seen);
  const scale = document.createElement("i");
  const said = drawScale(scale, mask, opacity);
  return [[...canvas.getContext("2d").getImageData(0, 0, 356, 436).data], scale.style.background, said];
}"""


def test_a_mask_is_as_smooth_as_python_draws_it(page: sync_api.Page) -> None:
    mask = np.random.default_rng(0).random((12, 10), np.float32)
    canvas, scale, said = page.evaluate(DRAWN, [mask.tolist(), 0.6, [1, 1]])
    away = mask - mask.mean()
    signed = np.asarray(Image.fromarray(away / np.abs(away).max()).resize((356, 436), Image.Resampling.BICUBIC))
    opacity = 0.6 * np.abs(np.clip(signed, -1, 1))[:, :, None]
    wanted = 255 * (1 - opacity) + np.where(signed[:, :, None] > 0, RED, BLUE) * opacity
    assert np.abs(np.array(canvas).reshape(436, 356, 4)[:, :, :3] - wanted).max() < 3
    assert said == f"{mask.min():.2f} to {mask.max():.2f}, no colour at its mean {mask.mean():.2f}"
    # From blue, through nothing at the mean, to red.
    parts = re.fullmatch(r"linear-gradient\(90deg, rgba\(31.*, transparent ([\d.]+)%, rgba?\(214.*\)", scale)
    assert parts and float(parts[1]) == pytest.approx(100 * (mask.mean() - mask.min()) / np.ptp(mask), abs=0.1)


def test_a_flat_mask_has_no_colour(page: sync_api.Page) -> None:
    mask = np.full((12, 10), 0.5)
    mask[3, 4] += 5e-7
    canvas, scale, said = page.evaluate(DRAWN, [mask.tolist(), 1, [1, 1]])
    assert set(canvas) == {255} and "gradient" not in scale
    assert said == "0.50 everywhere"


def test_a_mask_covers_what_the_network_sees_of_the_face(page: sync_api.Page) -> None:
    canvas, *_ = page.evaluate(DRAWN, [[[0, 1], [1, 0]], 1, [0.5, 0.75]])
    coloured = (np.array(canvas).reshape(436, 356, 4)[:, :, :3] < 250).any(axis=2)
    rows, columns = np.flatnonzero(coloured.any(axis=1)), np.flatnonzero(coloured.any(axis=0))
    assert (rows[0], rows[-1]) == (109, 326)
    assert columns[0] in (44, 45) and columns[-1] in (310, 311)
