"""The ways a picture of a face gets worse: by so much (robustness.py), or by as much as `random` draws (quality.py)."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

Frame = npt.NDArray[np.uint8]
#: A changed frame, and the share of it that lies in the photograph.
Changed = tuple[Frame, float]
Random = np.random.Generator


def scaled(frame: Frame, by: float) -> Frame:
    """As if it had been photographed so many times smaller."""
    height, width, _ = frame.shape
    less = Image.fromarray(frame).resize((round(width / by), round(height / by)), Image.Resampling.HAMMING)
    return np.asarray(less.resize((width, height), Image.Resampling.BICUBIC))


def compressed(frame: Frame, quality: int) -> Frame:
    """As a JPEG file of a quality gives it back."""
    return np.asarray(_compressed(Image.fromarray(frame), quality))


def blurred(frame: Frame, deviation: float) -> Frame:
    """Blurred by a Gaussian of a deviation in pixels."""
    return np.asarray(Image.fromarray(frame).filter(ImageFilter.GaussianBlur(deviation)))


def noisy(frame: Frame, deviation: float, random: Random) -> Frame:
    """With noise of a deviation in levels of 0-255, drawn for each pixel and colour."""
    return _levels(frame + random.normal(0, deviation, frame.shape))


def faded(frame: Frame, share: float) -> Frame:
    """With a share of its colour taken away: 1 leaves grey."""
    grey = np.asarray(Image.fromarray(frame).convert("L"))[..., None]
    return _levels(frame + share * (grey.astype(np.float64) - frame))


def warped(frame: Frame, turn: float = 0.0, zoom: float = 1.0, shift: complex = 0j) -> Changed:
    """Turned by degrees counter-clockwise, zoomed about the middle and shifted; the edge goes on outside."""
    height, width, _ = frame.shape
    a = np.exp(-np.log(zoom) + 1j * np.radians(turn))
    b = (1 - a) * complex(width / 2, height / 2) + shift
    margin = 160
    wide = Image.fromarray(np.pad(frame, ((margin, margin), (margin, margin), (0, 0)), "edge"))
    matrix = (a.real, -a.imag, b.real + margin, a.imag, a.real, b.imag + margin)
    found = np.asarray(wide.transform((width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC))
    there = a * (np.arange(width) + 1j * np.arange(height)[:, None]) + b
    inside = (there.real >= 0) & (there.real <= width) & (there.imag >= 0) & (there.imag <= height)
    return found, float(inside.mean())


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def _smaller(frame: Frame, random: Random) -> Changed:
    return scaled(frame, 2 ** random.uniform(0.5, 2.8)), 1.0


def _jpeg(frame: Frame, random: Random) -> Changed:
    return compressed(frame, int(random.integers(5, 91))), 1.0


def _small_jpeg(frame: Frame, random: Random) -> Changed:
    height, width, _ = frame.shape
    by = 2 ** random.uniform(0, 1.6)
    less = Image.fromarray(frame).resize((round(width / by), round(height / by)), Image.Resampling.HAMMING)
    small = _compressed(less, int(random.integers(15, 91)))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)), 1.0


def _blurred(frame: Frame, random: Random) -> Changed:
    return blurred(frame, 2 ** random.uniform(-0.5, 2.5)), 1.0


def _moved(frame: Frame, random: Random) -> Changed:
    length, angle = 2 ** random.uniform(1.5, 4.5), random.uniform(0, np.pi)
    height, width, _ = frame.shape
    steps = np.linspace(-length / 2, length / 2, int(length) + 2)
    mean = np.zeros(frame.shape)
    for step in steps:
        rows = np.clip(np.arange(height) + round(step * np.sin(angle)), 0, height - 1)
        columns = np.clip(np.arange(width) + round(step * np.cos(angle)), 0, width - 1)
        mean += frame[rows][:, columns] / len(steps)
    return np.rint(mean).astype(np.uint8), 1.0


def _noisy(frame: Frame, random: Random) -> Changed:
    return noisy(frame, 2 ** random.uniform(1, 5.5), random), 1.0


def _dark(frame: Frame, random: Random) -> Changed:
    return _levels(frame * 2 ** -random.uniform(0.5, 4.5)), 1.0


def _overexposed(frame: Frame, random: Random) -> Changed:
    return _levels(frame * 2 ** random.uniform(0.3, 2)), 1.0


def _cut(frame: Frame, random: Random) -> Changed:
    """One side lies outside the photograph."""
    share, side = random.uniform(0.05, 0.45), int(random.integers(4))
    turned = np.rot90(frame, side).copy()
    away = int(len(turned) * share)
    turned[:away] = turned[away]
    return np.ascontiguousarray(np.rot90(turned, -side)), 1 - away / len(turned)


def _misaligned(frame: Frame, random: Random) -> Changed:
    """Turned, zoomed and moved like by wrong landmarks."""
    zoom, turn = np.exp(-random.uniform(-0.3, 0.3)), random.uniform(-25, 25)
    return warped(frame, turn, zoom, complex(*random.uniform(-12, 12, 2)))


def _mixed(frame: Frame, random: Random) -> Changed:
    ways = [_smaller, _jpeg, _blurred, _moved, _noisy, _dark, _overexposed]
    for way in random.choice(len(ways), 2, replace=False).tolist():
        frame = ways[way](frame, random)[0]
    return frame, 1.0


def _levels(values: npt.NDArray[np.floating]) -> Frame:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


KINDS: dict[str, Callable[[Frame, Random], Changed]] = {
    "1.4 to 7 times smaller": _smaller,
    "JPEG of quality 5 to 90": _jpeg,
    "up to 3 times smaller, then JPEG": _small_jpeg,
    "out of focus": _blurred,
    "moved while taken": _moved,
    "noisy": _noisy,
    "dark": _dark,
    "overexposed": _overexposed,
    "one side cut off": _cut,
    "turned, zoomed and shifted": _misaligned,
    "two of these at once": _mixed,
}
