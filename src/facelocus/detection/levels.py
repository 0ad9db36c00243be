"""A picture at falling sizes, and squares cut out of the size that suits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelocus.images.read import RGB

Doubles = npt.NDArray[np.float64]

#: Side in pixels of P-Net's window and the ratio of the pyramid's levels.
WINDOW = 12
RATIO = 0.709

# How much larger than asked for a square is where it is cut out, at least; from 2 on the next level serves.
_SPARE = 1.4


def pyramid(width: int, height: int, min_face: float) -> list[tuple[int, int]]:
    """Return the sizes (width, height) at which P-Net looks: faces of min_face pixels first, then larger."""
    scale, levels = WINDOW / min_face, []
    while min(width, height) * scale >= WINDOW:
        levels.append((math.ceil(width * scale), math.ceil(height * scale)))
        scale *= RATIO
    return levels


class Levels:
    """A picture and its pyramid, each level made from the one before when it is first asked for.

    Coordinates are those of the picture itself.
    """

    def __init__(self, photo: Image.Image, min_face: float) -> None:
        self.photo = photo
        self._sizes = pyramid(photo.width, photo.height, min_face)
        self._made = [photo]

    def __iter__(self) -> Iterator[RGB]:
        """Yield the levels that P-Net looks at, uint8 h x w x 3."""
        for size in self._sizes[len(self._made) - 1 :]:
            self._made.append(_resized(self._made[-1], size))
        return map(np.asarray, self._made[1:])

    def crops(self, squares: Doubles, side: int) -> RGB:
        """Cut squares N x 4 out, black outside the picture: uint8 N x side x side x 3."""
        crops = np.empty((len(squares), side, side, 3), dtype=np.uint8)
        for i, square in enumerate(squares.tolist()):
            crops[i] = np.asarray(self.crop(square, side))
        return crops

    def crop(self, square: Iterable[float], side: int) -> Image.Image:
        """Cut one square (x0, y0, x1, y1) out."""
        x0, y0, x1, y1 = square
        enough = _SPARE * side * self.photo.width / (x1 - x0)
        level = next((level for level in reversed(self._made) if level.width >= enough), self.photo)
        across, down = level.width / self.photo.width, level.height / self.photo.height
        x0, y0, x1, y1 = x0 * across, y0 * down, x1 * across, y1 * down
        left, top = math.floor(x0), math.floor(y0)
        right, bottom = math.ceil(x1), math.ceil(y1)
        if left < 0 or top < 0 or right > level.width or bottom > level.height:
            level = level.crop((left, top, right, bottom))
            x0, y0, x1, y1 = x0 - left, y0 - top, x1 - left, y1 - top
        return level.resize((side, side), Image.Resampling.HAMMING, box=(x0, y0, x1, y1))

    def crop_turned(self, square: Doubles, turn: float, side: int) -> Image.Image:
        """Cut one square out, turned about its centre by -turn: a face that leans by turn (radians) stands upright."""
        corner, far = square.reshape(2, 2)
        centre, reach = (corner + far) / 2, (far - corner) / math.sqrt(2)
        wide = 2 * math.ceil(side * math.sqrt(2))
        around = self.crop([*(centre - reach), *(centre + reach)], wide)
        upright = around.rotate(math.degrees(turn), Image.Resampling.BICUBIC)
        edge = wide // 2 - side
        return upright.crop((edge, edge, edge + 2 * side, edge + 2 * side)).reduce(2)


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    # Hamming averages an area when shrinking, as box does, but weighs pixels at a cell's edge by their share. By whole
    # numbers, as in most pictures' first step, box is as good and four times as fast.
    return image if image.size == size else image.resize(size, Image.Resampling.HAMMING, reducing_gap=1.0)
