"""Resizing as two matrix products is antialiased linear resizing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from facelocus.attributes import FRAME
from facelocus.nn.resize import Resize, resize_matrix
from faces import draw_face

HEIGHT, WIDTH, _ = FRAME


def planes(seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(draw_face(seed)).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize(("source", "target"), [(218, 112), (218, 218), (178, 227), (7, 3), (3, 7), (218, 1)])
def test_every_target_pixel_is_a_weighted_mean(source: int, target: int) -> None:
    matrix = resize_matrix(source, target)
    assert matrix.shape == (target, source)
    assert matrix.min() >= 0
    torch.testing.assert_close(matrix.sum(1), torch.ones(target))
    torch.testing.assert_close(matrix.flip(0, 1), matrix)  # symmetric: a mirrored picture gives the mirrored result


@pytest.mark.parametrize("size", [(112, 90), (64, 48), (136, 112), (256, 256), (300, 178), (100, 300)])
def test_equals_pillow(size: tuple[int, int]) -> None:
    ours = Resize((HEIGHT, WIDTH), size)(planes())[0].permute(1, 2, 0).numpy()
    theirs = Image.fromarray(draw_face(0)).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    # Pillow rounds to whole numbers after each of its two passes.
    assert np.abs(ours - np.asarray(theirs, dtype=np.float32)).max() <= 1.1


def test_the_same_size_is_the_same_picture() -> None:
    assert torch.equal(Resize((HEIGHT, WIDTH), (HEIGHT, WIDTH))(planes()), planes())


@pytest.mark.parametrize(("crop", "top", "left"), [((227, 227), 14, 14), ((200, 100), 28, 78), ((256, 256), 0, 0)])
def test_a_crop_is_the_middle(crop: tuple[int, int], top: int, left: int) -> None:
    whole = Resize((HEIGHT, WIDTH), (256, 256))(planes())
    cropped = Resize((HEIGHT, WIDTH), (256, 256), crop)(planes())
    torch.testing.assert_close(cropped, whole[:, :, top : top + crop[0], left : left + crop[1]])


@pytest.mark.parametrize("deviation", [0.7, 2.0])
def test_a_blur_before_it_is_a_gaussian_with_replicated_borders(deviation: float) -> None:
    steps = torch.arange(-12, 13).double()
    kernel = torch.exp(-((steps / deviation) ** 2) / 2)
    kernel = (kernel / kernel.sum()).float()
    padded = torch.nn.functional.pad(planes(), (12, 12, 12, 12), mode="replicate").transpose(0, 1)
    blurred = torch.nn.functional.conv2d(padded, kernel.outer(kernel)[None, None]).transpose(0, 1)
    whole = Resize((HEIGHT, WIDTH), (HEIGHT, WIDTH), blur=deviation)(planes())
    torch.testing.assert_close(whole, blurred, atol=0.02, rtol=0)
    resized = Resize((HEIGHT, WIDTH), (64, 48), blur=deviation)(planes())
    torch.testing.assert_close(resized, Resize((HEIGHT, WIDTH), (64, 48))(blurred), atol=0.02, rtol=0)


def test_a_crop_larger_than_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="a crop of 227 x 227 does not fit into 218 x 256"):
        Resize((HEIGHT, WIDTH), (218, 256), (227, 227))


def test_pixels_keep_single_precision_under_autocast() -> None:
    """Eight bits of mantissa would round 253 to 254."""
    resize = Resize((HEIGHT, WIDTH), (64, 48))
    plain = resize(planes())
    with torch.autocast("cpu", torch.bfloat16):
        resized = resize(planes())
    assert resized.dtype == torch.float32
    assert torch.equal(resized, plain)


def test_constants_are_not_part_of_a_checkpoint() -> None:
    assert not Resize((HEIGHT, WIDTH), (64, 48)).state_dict()
