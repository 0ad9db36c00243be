"""Faces with five landmarks in a photograph: the three networks of MTCNN (see mtcnn/NOTICE) on onnxruntime.

P-Net looks at every window of 12 x 12 pixels of a pyramid of reduced pictures, R-Net and O-Net look again at what it
proposes. Beyond MTCNN, O-Net looks a second time, at what it found turned upright and at that mirrored: this look gives
the landmarks and decides. Coordinates are continuous, as in images/align.py: pixels 0 to 11 are the box from 0 to 12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image

from facelocus.detection.levels import WINDOW, Doubles, Levels
from facelocus.detection.suppression import suppress
from facelocus.images.read import RGB
from facelocus.runtime import open_session

Floats = npt.NDArray[np.float32]

#: Step in pixels between P-Net's windows.
STEP = 2

#: Least probabilities after P-Net, R-Net, O-Net and O-Net's second look.
THRESHOLDS = (0.6, 0.7, 0.5, 0.6)

#: The least face that is looked for, the longer side of its box in pixels.
MIN_FACE = 24

#: The longer side in pixels up to which faces of `min_face` pixels are looked for: in larger pictures a face must be
#: larger by as much.
LONGEST = 1600

#: Where nothing is found, copies turned by so many degrees both ways are searched; a face found there needs this score:
#: where there is none, most false alarms come from them.
TURNED, TURNED_LEAST = 40.0, 0.95

# The second look is at the middle of the square, of this part of its sides: there landmarks are the best. Errors of a
# frame's corners on 296 photographs, median and mean in pixels: 3.5 and 4.0 at 0.85, 3.3 and 4.0 at 0.92, 3.7 and 4.2
# at 1, 4.3 and 5.2 at 1.1.
_CLOSER = 0.92

# A face that leans less is looked at as it stands, in radians.
_UPRIGHT = math.radians(10)

# The most crops in one call of a network: bounds the memory in a crowd; larger batches are not faster.
_BATCH = 256

# About so many pixels in one call of P-Net: what it makes of them stays in the processor's cache.
_STRIP = 40_000

# Where each landmark is found in a mirrored face.
_MIRROR = [1, 0, 2, 4, 3]


@dataclass(frozen=True, eq=False)
class Detection:
    """One face, in pixels of the picture it was found in; box and landmarks may reach outside it.

    Attributes:
        box: (x0, y0, x1, y1).
        score: how probably it is a face, by O-Net's second look: from THRESHOLDS[3] to 1.
        landmarks: float64, 5 x 2 (x, y), in the order of images.align.LANDMARKS.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: Doubles

    @property
    def area(self) -> float:
        """Of the box, in square pixels."""
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])

    def scaled(self, factor: float) -> Detection:
        """Return it in a picture whose sides are `factor` times as long."""
        x0, y0, x1, y1 = self.box
        box = (x0 * factor, y0 * factor, x1 * factor, y1 * factor)
        return replace(self, box=box, landmarks=self.landmarks * factor)


class Detector:
    """Finds faces. Making one loads the networks (2 MB): keep it.

    Threads may share one. `threads` is the number of CPU threads one detection uses; None: all that this process may
    use.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads
        files = [Path(__file__).parent / "mtcnn" / f"{net}.onnx" for net in ("pnet", "rnet", "onet")]
        self._pnet, self._rnet, self._onet = (
            open_session(file, file.read_bytes(), threads, repeated=False) for file in files
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Detector, (self._threads,)

    def detect(
        self, image: RGB, *, min_face: int = MIN_FACE, longest: int = LONGEST, turned: bool = True
    ) -> list[Detection]:
        """Return the faces of a uint8 H x W x 3 picture, the largest first.

        Looked for are faces whose box is `min_face` pixels of this picture or more on its longer side; where the
        longer side of the picture exceeds `longest` pixels, faces of min_face / longest of it, which bounds the cost.
        Faces may lean by 30 degrees, with `turned`, where the picture has no other, by about 60.
        """
        photo = Image.fromarray(image)
        shrink = max(1.0, max(photo.size) / longest)
        smallest = min_face * shrink
        faces = self._search(photo, smallest)
        if turned and not faces:
            # Reduced first: the memory a long and narrow picture takes when turned grows with the square of its length.
            small = photo.resize([max(1, round(side / shrink)) for side in photo.size], reducing_gap=1.0)
            found = [face for degrees in (TURNED, -TURNED) for face in self._search_turned(small, degrees, min_face)]
            leaning = [face.scaled(shrink) for face in found]
            boxes, scores = np.array([face.box for face in leaning]), np.array([face.score for face in leaning])
            faces = [leaning[i] for i in suppress(boxes.reshape(-1, 4), scores, 0.5, over="smaller")]
        return sorted(faces, key=lambda face: -face.area)

    def _search_turned(self, photo: Image.Image, degrees: float, smallest: float) -> list[Detection]:
        """Search a copy turned counterclockwise; boxes turn about their centres and keep their sides."""
        copy = photo.rotate(degrees, Image.Resampling.BILINEAR, expand=True)
        turn = math.radians(degrees)
        back = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
        here, there = np.array(photo.size) / 2, np.array(copy.size) / 2
        faces = []
        for face in self._search(copy, smallest):
            corner, far = np.array(face.box).reshape(2, 2)
            centre, reach = ((corner + far) / 2 - there) @ back + here, (far - corner) / 2
            if face.score >= TURNED_LEAST and ((centre > 0) & (centre < 2 * here)).all():
                box = (*(centre - reach).tolist(), *(centre + reach).tolist())
                faces.append(replace(face, box=box, landmarks=(face.landmarks - there) @ back + here))
        return faces

    def _search(self, photo: Image.Image, smallest: float) -> list[Detection]:
        levels = Levels(photo, smallest)
        squares = self._propose(levels)
        squares = self._refine(levels, squares) if len(squares) else squares
        if not len(squares):
            return []
        boxes, turns = self._conclude(levels, squares)
        if not len(boxes):
            return []
        landmarks, scores = self._look_again(levels, _squares(boxes), turns)
        kept = np.flatnonzero(scores >= THRESHOLDS[3])
        return [Detection((*boxes[i].tolist(),), float(scores[i]), landmarks[i]) for i in kept]

    def _propose(self, levels: Levels) -> Doubles:
        """P-Net over the pyramid: squares that may hold a face, N x 4."""
        windows, shifts, scores = [np.empty((0, 4))], [np.empty((0, 4))], [np.empty(0)]
        for level in levels:
            found = self._everywhere(level)
            row, column = np.nonzero(found[4] >= _logit(THRESHOLDS[0]))
            corner = np.column_stack([column, row]) * float(STEP)
            window, score = np.hstack([corner, corner + WINDOW]), found[4, row, column]
            kept = suppress(window, score, 0.5)
            height, width = level.shape[:2]
            windows.append(window[kept] * np.tile([levels.photo.width / width, levels.photo.height / height], 2))
            shifts.append(found[:4, row, column].T[kept].astype(np.float64))
            scores.append(score[kept])
        boxes = np.concatenate(windows)
        kept = suppress(boxes, np.concatenate(scores), 0.7)
        return _squares(_shifted(boxes, np.concatenate(shifts))[kept])

    def _everywhere(self, level: RGB) -> Floats:
        """P-Net at every window of a level, in strips: 5 x h x w, four shifts and the logit."""
        height, width = level.shape[:2]
        places = -(-(height - 2) // 2) - 4
        rows = max(1, (_STRIP // width - WINDOW) // STEP)
        parts = []
        for first in range(0, places, rows):
            # The last strip takes an odd row more, as the whole would.
            end = height if first + rows >= places else STEP * (first + rows - 1) + WINDOW
            parts.append(_run(self._pnet, level[None, STEP * first : end])[0])
        return np.concatenate(parts, axis=1)

    def _refine(self, levels: Levels, squares: Doubles) -> Doubles:
        """R-Net: fewer and better squares."""
        found = _run(self._rnet, levels.crops(squares, 24))
        passed = np.flatnonzero(found[:, 4] >= _logit(THRESHOLDS[1]))
        kept = passed[suppress(squares[passed], found[passed, 4], 0.7)]
        return _squares(_shifted(squares[kept], found[kept, :4]))

    def _conclude(self, levels: Levels, squares: Doubles) -> tuple[Doubles, Doubles]:
        """O-Net: boxes N x 4, and by how much each face leans, N, in radians clockwise."""
        found = _run(self._onet, levels.crops(squares, 48))
        boxes = _shifted(squares, found[:, :4])
        passed = np.flatnonzero(found[:, 14] >= _logit(THRESHOLDS[2]))
        kept = passed[suppress(boxes[passed], found[passed, 14], 0.7, over="smaller")]
        # Right across the face, and down it turned by a quarter: both point along the line of the eyes.
        eye, other, _, mouth, end = (_points(found[kept]) @ [1, 1j]).T
        return boxes[kept], np.angle(other + end - eye - mouth + (mouth + end - eye - other) / 1j)

    def _look_again(self, levels: Levels, squares: Doubles, turns: Doubles) -> tuple[Doubles, Doubles]:
        """O-Net once more on the final squares, upright, and on their mirror images: landmarks N x 5 x 2, scores N.

        MTCNN takes both of the look before. The second one brings the corners of a frame closer, doubts most of what
        is no face, and finds leaning faces as well as upright ones, for under 1 ms a face.
        """
        turns = np.where(np.abs(turns) > _UPRIGHT, turns, 0.0)
        corner, far = np.split(squares, 2, axis=1)
        centre, reach = (corner + far) / 2, _CLOSER * (far - corner) / 2
        squares = np.hstack([centre - reach, centre + reach])
        crops = levels.crops(squares, 48)
        for i in np.flatnonzero(turns):
            crops[i] = np.asarray(levels.crop_turned(squares[i], turns[i], 48))
        plain, mirrored = (_run(self._onet, views) for views in (crops, crops[:, :, ::-1]))
        points = (_points(plain) + (_points(mirrored) * [-1, 1] + [1, 0])[:, _MIRROR]) / 2 - 0.5
        z = points @ [1, 1j] * np.exp(1j * turns)[:, None]
        landmarks = centre[:, None] + 2 * reach[:, None] * np.stack([z.real, z.imag], axis=-1)
        scores = (1 / (1 + np.exp(-np.stack([plain[:, 14], mirrored[:, 14]], dtype=np.float64)))).mean(axis=0)
        return landmarks, scores


def _run(net: onnxruntime.InferenceSession, pictures: RGB) -> Floats:
    """Run a network on uint8 N x H x W x 3 pictures."""
    batches = (np.ascontiguousarray(pictures[i : i + _BATCH]) for i in range(0, len(pictures), _BATCH))
    return np.concatenate([net.run(None, {"images": batch})[0] for batch in batches])


def _points(found: Floats) -> Doubles:
    """The landmarks in O-Net's output, as fractions of the square: N x 5 x 2."""
    return found[:, 4:14].astype(np.float64).reshape(-1, 2, 5).swapaxes(1, 2)


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _shifted(boxes: Doubles, shifts: npt.NDArray[np.floating]) -> Doubles:
    """Move the sides of boxes by fractions of their width and height."""
    return boxes + shifts * np.tile(boxes[:, 2:] - boxes[:, :2], 2)


def _squares(boxes: Doubles) -> Doubles:
    """Return squares about the boxes' centres with their longer side, in whole pixels."""
    side = np.maximum(np.rint((boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)), 1)
    corner = np.rint((boxes[:, :2] + boxes[:, 2:] - side) / 2)
    return np.hstack([corner, corner + side])
