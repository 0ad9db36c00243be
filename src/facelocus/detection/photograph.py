"""A photograph as it is analyzed and packed: read small, searched, its faces cut out of the sharpness they need."""

from __future__ import annotations

import numpy as np

from facelocus.detection.detect import LONGEST, Detection, Detector
from facelocus.images.align import align, frame_to_photo
from facelocus.images.read import RGB, Source, read_reduced


class Photograph:
    """A photograph, read once. A JPEG with a longer side of twice LONGEST or more is decoded at 1/2, 1/4 or 1/8.

    Where a face has fewer pixels there than the frame, and the file has more of them, it is decoded again for the crop.
    A stream that cannot go back is decoded whole at once.

    Attributes:
        image: uint8 H x W x 3, RGB, upright, as read for the search.
        factor: the whole photograph's sides are so many times as long.

    Raises:
        ImageError: the picture cannot be read.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        once = hasattr(source, "seekable") and not source.seekable()
        self.image, self.factor = read_reduced(source, None if once else LONGEST)
        self._read = {self.factor: self.image}

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the whole photograph, to the factor."""
        return self.image.shape[1] * self.factor, self.image.shape[0] * self.factor

    def find(self, detector: Detector) -> list[Detection]:
        """Return its faces, the largest first, in pixels of the whole photograph."""
        return [face.scaled(self.factor) for face in detector.detect(self.image)]

    def crop(self, face: Detection) -> RGB:
        """Return a face in the frame, uint8 218 x 178 x 3.

        Raises:
            ImageError: the picture cannot be read again.
        """
        factor, pixels = self.factor, float(np.hypot(*frame_to_photo(face.landmarks)[:, 0]))
        while factor > 1 and pixels < factor:
            factor //= 2
        if factor not in self._read:
            longest = None if factor == 1 else (max(self.image.shape) - 1) * self.factor // factor
            self._read[factor] = read_reduced(self._source, longest)[0]
        return align(self._read[factor], face.landmarks / factor)
