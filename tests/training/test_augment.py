"""Random changes are of the size that was asked for, and change nothing where none was."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from facelocus.training.augment import BLURS, augment
from facelocus.training.recipe import Augment

#: Neither square nor of even sides, as a frame is not.
HEIGHT, WIDTH = 63, 48
NONE = Augment(flip=0.0)


def changed(frames: Tensor, spec: Augment, seed: int = 0) -> Tensor:
    return augment(frames, spec, torch.Generator().manual_seed(seed))


def noise(batch: int = 4) -> Tensor:
    return 255 * torch.rand(batch, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(9))


def dots(batch: int, *places: tuple[float, float]) -> Tensor:
    """Draw one soft dot a channel at (x, y) from the middle of the frame."""
    y = torch.arange(HEIGHT).view(-1, 1) - (HEIGHT - 1) / 2
    x = torch.arange(WIDTH) - (WIDTH - 1) / 2
    planes = [200 * torch.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) for px, py in places]
    return torch.stack(planes).expand(batch, -1, -1, -1)


def found(frames: Tensor) -> Tensor:
    """Return where each channel's dot lies: B x channels x (x, y)."""
    weights = frames / frames.sum((2, 3), keepdim=True)
    y = torch.arange(HEIGHT) - (HEIGHT - 1) / 2
    x = torch.arange(WIDTH) - (WIDTH - 1) / 2
    return torch.stack([(weights.sum(2) * x).sum(2), (weights.sum(3) * y).sum(2)], 2)


RIGHT, DOWN, LEFT = (10.0, 0.0), (0.0, 10.0), (-10.0, 0.0)


def test_nothing_asked_changes_nothing() -> None:
    assert torch.equal(changed(noise(), NONE), noise())


def test_flip_mirrors_left_and_right() -> None:
    assert torch.equal(changed(noise(), Augment(flip=1.0)), noise().flip(3))
    warped = changed(noise(), Augment(flip=1.0, shift=1e-7))  # the same through the warp
    torch.testing.assert_close(warped, noise().flip(3), atol=0.01, rtol=0)


@pytest.mark.parametrize("warp", [0.0, 1e-7])
def test_flip_takes_its_share_of_the_images(warp: float) -> None:
    frames = dots(400, RIGHT, DOWN, LEFT)
    flipped = found(changed(frames, Augment(flip=0.25, shift=warp)))[:, 0, 0] < 0
    assert 70 < int(flipped.sum()) < 130  # 100 expected; 3.5 standard deviations


def test_shift_moves_by_pixels_in_both_directions() -> None:
    moved = found(changed(dots(400, RIGHT, DOWN, LEFT), Augment(flip=0.0, shift=2.0))) - torch.tensor(
        [RIGHT, DOWN, LEFT]
    )
    torch.testing.assert_close(moved[:, 1:], moved[:, :1].expand(-1, 2, -1), atol=0.1, rtol=0)  # all alike
    each = moved[:, 0]
    assert each.mean(0).abs().max() < 0.4
    assert each.std(0).tolist() == pytest.approx([2.0, 2.0], rel=0.12)
    assert abs(torch.corrcoef(each.T)[0, 1].item()) < 0.2


def test_crop_moves_by_every_whole_pixel_equally_often() -> None:
    frames = noise(1).expand(3000, -1, -1, -1)
    moved = changed(frames, Augment(flip=0.0, crop=(2, 1)))
    padded = torch.nn.functional.pad(noise(1), (1, 1, 2, 2), mode="replicate")[0]
    windows = [padded[:, y : y + HEIGHT, x : x + WIDTH] for y in range(5) for x in range(3)]
    counts = [int((moved == window).flatten(1).all(1).sum()) for window in windows]
    assert sum(counts) == 3000 and min(counts) > 140 and max(counts) < 260  # 200 expected; 4 standard deviations


def test_rotation_turns_by_degrees_without_distortion() -> None:
    x, y = found(changed(dots(400, RIGHT, DOWN, LEFT), Augment(flip=0.0, rotation=8.0))).unbind(2)
    torch.testing.assert_close(torch.hypot(x, y), torch.full_like(x, 10.0), atol=0.05, rtol=0)
    turn_of_right = torch.rad2deg(torch.atan2(y[:, 0], x[:, 0]))
    turn_of_down = torch.rad2deg(torch.atan2(-x[:, 1], y[:, 1]))
    torch.testing.assert_close(turn_of_right, turn_of_down, atol=0.3, rtol=0)
    assert turn_of_right.std().item() == pytest.approx(8.0, rel=0.12)
    assert abs(turn_of_right.mean().item()) < 1.5


def test_scale_zooms_by_its_share_in_both_directions_alike() -> None:
    x, y = found(changed(dots(400, RIGHT, DOWN, LEFT), Augment(flip=0.0, scale=0.1))).unbind(2)
    zoom = x[:, 0] / 10
    torch.testing.assert_close(y[:, 1] / 10, zoom, atol=0.01, rtol=0)
    torch.testing.assert_close(-x[:, 2] / 10, zoom, atol=0.01, rtol=0)
    assert zoom.log().std().item() == pytest.approx(0.1, rel=0.12)
    assert abs(zoom.log().mean().item()) < 0.02


def test_borders_are_replicated() -> None:
    plain = torch.full((16, 3, HEIGHT, WIDTH), 200.0)
    warped = changed(plain, Augment(flip=0.5, scale=0.3, rotation=30.0, shift=20.0))
    torch.testing.assert_close(warped, plain)
    columns = (torch.arange(WIDTH) * 5.0).expand(16, 3, HEIGHT, WIDTH)
    moved = changed(columns, Augment(flip=0.0, shift=20.0))
    assert moved.min() >= 0 and moved.max() <= 5 * (WIDTH - 1)


def test_brightness_multiplies_within_its_share() -> None:
    frames = torch.full((200, 3, 4, 4), 100.0)
    factor = changed(frames, Augment(flip=0.0, brightness=0.3)) / 100
    torch.testing.assert_close(factor, factor[:, :1, :1, :1].expand_as(factor))
    assert 0.7 <= factor.min() < 0.75 and 1.25 < factor.max() <= 1.3


def test_contrast_keeps_the_mean_and_scales_the_spread() -> None:
    frames = 100 + 20 * torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    result = changed(frames, Augment(flip=0.0, contrast=0.3))
    torch.testing.assert_close(result.mean((1, 2, 3)), frames.mean((1, 2, 3)))
    factor = result.std((1, 2, 3)) / frames.std((1, 2, 3))
    assert 0.7 <= factor.min() < 0.75 and 1.25 < factor.max() < 1.301


def test_saturation_keeps_grey_and_scales_the_distance_from_it() -> None:
    frames = 100 + 20 * torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    grey = frames.mean(1, keepdim=True)
    result = changed(frames, Augment(flip=0.0, saturation=0.3))
    torch.testing.assert_close(result.mean(1, keepdim=True), grey)
    factor = (result - grey).flatten(1).norm(dim=1) / (frames - grey).flatten(1).norm(dim=1)
    assert 0.7 <= factor.min() < 0.75 and 1.25 < factor.max() < 1.301
    torch.testing.assert_close(
        changed(grey.expand_as(frames), Augment(flip=0.0, saturation=0.3)), grey.expand_as(frames)
    )


def test_values_stay_in_range() -> None:
    result = changed(noise(50), Augment(brightness=0.9, contrast=0.9, saturation=0.9, shift=5.0))
    assert result.min() == 0 and result.max() == 255
    assert result.isfinite().all()


def test_the_generators_seed_decides() -> None:
    spec = Augment(scale=0.1, rotation=5.0, shift=2.0, brightness=0.2, contrast=0.2, saturation=0.2)
    torch.manual_seed(1)
    first = changed(noise(), spec, 3)
    torch.manual_seed(2)  # nothing comes from the global generator
    assert torch.equal(changed(noise(), spec, 3), first)
    assert not torch.equal(changed(noise(), spec, 4), first)


def test_frames_given_are_not_written_to() -> None:
    frames = noise()
    changed(frames, Augment(flip=1.0, brightness=0.5, shift=2.0))
    assert torch.equal(frames, noise())


def test_each_image_has_its_own_numbers() -> None:
    x = found(changed(dots(8, RIGHT, DOWN, LEFT), Augment(flip=0.0, shift=3.0)))[:, 0, 0]
    assert len({round(value, 3) for value in x.tolist()}) == 8
    assert not math.isnan(x.sum())


def test_sharpness_keeps_plain_areas_and_scales_the_distance_from_a_blurred_copy() -> None:
    frames = 100 + 20 * torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    weights = torch.tensor([1.0, 2.0, 1.0]).outer(torch.tensor([1.0, 2.0, 1.0])) / 16
    padded = torch.nn.functional.pad(frames, (1, 1, 1, 1), mode="replicate")
    blurred = torch.nn.functional.conv2d(padded, weights.expand(3, 1, 3, 3), groups=3)
    result = changed(frames, Augment(flip=0.0, sharpness=0.3))
    ratio = (result - blurred).flatten(1).norm(dim=1) / (frames - blurred).flatten(1).norm(dim=1)
    assert 0.7 <= ratio.min() < 0.75 and 1.25 < ratio.max() < 1.301
    plain = torch.full((8, 3, 8, 8), 120.0)
    torch.testing.assert_close(changed(plain, Augment(flip=0.0, sharpness=1.0)), plain)


def test_blur_softens_its_share_by_up_to_its_deviation() -> None:
    frames = torch.zeros(400, 3, HEIGHT, WIDTH)
    frames[:, :, HEIGHT // 2, WIDTH // 2] = 255.0
    result = changed(frames, Augment(flip=0.0, blur=0.25))
    blurred = result[:, 0, HEIGHT // 2, WIDTH // 2] < 254
    assert 70 < int(blurred.sum()) < 130
    torch.testing.assert_close(result.sum((2, 3)), frames.sum((2, 3)))
    x = torch.arange(WIDTH) - WIDTH // 2
    deviation = (result[blurred, 0].sum(1) * x**2).sum(1).div(255).sqrt()
    assert deviation.min().item() == pytest.approx(math.sqrt(0.5), rel=0.01)
    assert deviation.max().item() == pytest.approx(math.sqrt(BLURS / 2), rel=0.01)


def test_noise_has_up_to_its_deviation_and_no_bias() -> None:
    plain = torch.full((200, 3, HEIGHT, WIDTH), 120.0)
    deviation = changed(plain, Augment(flip=0.0, noise=8.0)).std((1, 2, 3))
    assert deviation.min() < 0.2 and 7.8 < deviation.max() < 8.2
    assert changed(plain, Augment(flip=0.0, noise=8.0)).mean().item() == pytest.approx(120.0, abs=0.2)


def test_compression_takes_its_share_of_the_images() -> None:
    same = changed(noise(400), Augment(flip=0.0, compression=0.25)).eq(noise(400)).flatten(1).all(1)
    assert 70 < int((~same).sum()) < 130


EVERYTHING = Augment(
    scale=0.1, rotation=5.0, shift=2.0, brightness=0.2, sharpness=1.0, blur=0.5, noise=8.0, compression=0.5
)


def test_a_part_of_a_batch_is_changed_as_in_the_whole() -> None:
    whole = changed(noise(12), EVERYTHING)
    part = augment(noise(12)[4:8], EVERYTHING, torch.Generator().manual_seed(0), 12, slice(4, 8))
    torch.testing.assert_close(part, whole[4:8])
