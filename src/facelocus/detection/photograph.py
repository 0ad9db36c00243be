"""A photograph as it is analyzed and packed: read small, searched, its faces cut out of the sharpness they need."""

from __future__ import annotations

import os.path
from pathlib import Path

import numpy as np

from facelocus.detection.detect import LONGEST, MIN_FACE, Detection, Detector
from facelocus.images.align import align, frame_to_photo
from facelocus.images.bounds import MAX_PIXELS
from facelocus.images.read import RGB, Source, read_reduced

#: The longer side in pixels at which a photograph is searched first: a ninth of the work.
FIRST = LONGEST // 3

#: The longer side that is read for it at least, as landmarks come from more pixels. A smaller photograph is searched
#: for faces of all sizes at once.
READ = LONGEST // 2

#: What the first search finds is all there is where it is so few faces, each so many times the least it looks for.
FEW, LARGE = 2, 2.0


class Photograph:
    """A photograph, read once. A JPEG with a longer side of twice READ or more is decoded at 1/2, 1/4 or 1/8.

    Where it shows small faces or many and the file has more pixels, it is decoded again for a second search, and where
    a face has fewer pixels than the frame, for the crop. A pipe or stream that cannot go back is decoded whole at once.

    Attributes:
        image: uint8 H x W x 3, RGB, upright, as read for the search.
        factor: the whole photograph's sides are so many times as long.

    Raises:
        ImageError: the picture cannot be read, or has more than max_pixels.
    """

    def __init__(self, source: Source, max_pixels: int = MAX_PIXELS) -> None:
        self._source, self._max_pixels = source, max_pixels
        once = _is_read_once(source)
        self.image, self.factor = read_reduced(source, None if once else READ, max_pixels=max_pixels)
        self._read = {self.factor: self.image}

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the whole photograph, to the factor."""
        return self.image.shape[1] * self.factor, self.image.shape[0] * self.factor

    def find(self, detector: Detector) -> list[Detection]:
        """Return its faces, the largest first, in pixels of the whole photograph.

        Searched first are large faces. A portrait or a couple ends there; what is smaller in the background is left.
        Where there is none, or more, or a small one, faces of all sizes are searched.

        Raises:
            ImageError: the picture cannot be read again.
        """
        longer = max(self.image.shape)
        if longer > READ:
            faces = detector.detect(self.image, longest=FIRST, turned=False)
            least = LARGE * MIN_FACE * longer / FIRST
            if 0 < len(faces) <= FEW and all(_side(face) >= least for face in faces):
                return [face.scaled(self.factor) for face in faces]
        factor = self.factor
        while factor > 1 and longer * self.factor / factor < LONGEST:
            factor //= 2
        return [face.scaled(factor) for face in detector.detect(self._at(factor))]

    def crop(self, face: Detection) -> RGB:
        """Return a face in the frame, uint8 218 x 178 x 3.

        Raises:
            ImageError: the picture cannot be read again.
        """
        factor, pixels = self.factor, float(np.hypot(*frame_to_photo(face.landmarks)[:, 0]))
        while factor > 1 and pixels < factor:
            factor //= 2
        return align(self._at(factor), face.landmarks / factor)

    def _at(self, factor: int) -> RGB:
        """Return the photograph decoded at 1 / factor, once."""
        if factor not in self._read:
            longest = None if factor == 1 else (max(self.image.shape) - 1) * self.factor // factor
            self._read[factor] = read_reduced(self._source, longest, max_pixels=self._max_pixels)[0]
        return self._read[factor]


def _is_read_once(source: Source) -> bool:
    """Whether it gives its bytes but once, and so must be decoded whole."""
    if isinstance(source, (str, Path)):
        return os.path.exists(source) and not os.path.isfile(source)  # noqa: PTH110, PTH113, these never raise
    return hasattr(source, "seekable") and not source.seekable()


def _side(face: Detection) -> float:
    return max(face.box[2] - face.box[0], face.box[3] - face.box[1])
