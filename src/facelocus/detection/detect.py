"""Faces with five landmarks in a photograph: the three networks of MTCNN (see mtcnn/NOTICE) on onnxruntime.

P-Net looks at every window of 12 x 12 pixels of a pyramid of reduced pictures, R-Net and O-Net look again at
what it proposes. Coordinates are continuous, as in images/align.py: pixels 0 to 11 are the box from 0 to 12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from PIL import Image

from facelocus.detection.suppression import suppress
from facelocus.images.read import RGB

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

#: Side in pixels of P-Net's window, the step between windows, the ratio of the pyramid's levels.
WINDOW = 12
STEP = 2
RATIO = 0.709

#: Least scores after P-Net, R-Net and O-Net.
THRESHOLDS = (0.6, 0.7, 0.7)

#: A JPEG is decoded at 1/2 or less where its longer side keeps this many pixels, twice what is searched.
READ_LONGEST = 3200

# The most crops in one call of a network: bounds the memory in a crowd; larger batches are not faster.
_BATCH = 256

# Where each landmark is found in a mirrored face.
_MIRROR = [1, 0, 2, 4, 3]


@dataclass(frozen=True)
class Detection:
    """One face, in pixels of the picture it was found in; box and landmarks may reach outside it.

    Attributes:
        box: (x0, y0, x1, y1).
        score: of the last network, in [0, 1].
        landmarks: float64, 5 x 2 (x, y), in the order of images.align.LANDMARKS.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: Doubles


class Detector:
    """Finds faces. Making one loads the networks (2 MB): keep it.

    Threads may share one. `threads` is the number of CPU threads one detection uses; None: as many as cores.
    """

    def __init__(self, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.enable_mem_pattern = False  # of use only where sizes repeat
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # leaves other processes their time
        folder = Path(__file__).parent / "mtcnn"
        self._pnet, self._rnet, self._onet = (
            onnxruntime.InferenceSession(folder / f"{net}.onnx", options, providers=["CPUExecutionProvider"])
            for net in ("pnet", "rnet", "onet")
        )

    def detect(self, image: RGB, *, min_face: int = 24, longest: int = 1600) -> list[Detection]:
        """Return the faces of a uint8 H x W x 3 picture, the largest first.

        A picture whose longer side exceeds `longest` pixels is searched on a reduced copy, which bounds the
        cost; faces narrower than `min_face` pixels there are not looked for.
        """
        height, width = image.shape[:2]
        shrink = min(1.0, longest / max(height, width))
        size = max(1, round(width * shrink)), max(1, round(height * shrink))
        photo = _resized(Image.fromarray(image), *size)

        squares = self._propose(photo, min_face)
        squares = self._refine(photo, squares) if len(squares) else squares
        if not len(squares):
            return []
        boxes, scores = self._conclude(photo, squares)
        if not len(boxes):
            return []
        back = np.array([width / photo.width, height / photo.height])
        landmarks = self._landmarks(photo, _squares(boxes)) * back
        boxes = boxes * np.tile(back, 2)
        largest_first = np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")
        return [Detection((*boxes[i].tolist(),), float(scores[i]), landmarks[i]) for i in largest_first]

    def _propose(self, photo: Image.Image, min_face: int) -> Doubles:
        """P-Net over the pyramid: squares that may hold a face, N x 4."""
        windows, shifts, scores = [np.empty((0, 4))], [np.empty((0, 4))], [np.empty(0)]
        for width, height in pyramid(photo.width, photo.height, min_face):
            level = np.asarray(_resized(photo, width, height))
            shift, face = (output[0] for output in _run(self._pnet, level[None]))
            column, row = np.nonzero(face[:, :, 1] >= THRESHOLDS[0])
            corner = np.column_stack([column, row]) * float(STEP)
            window, score = np.hstack([corner, corner + WINDOW]), face[column, row, 1]
            kept = suppress(window, score, 0.5)
            windows.append(window[kept] * np.tile([photo.width / width, photo.height / height], 2))
            shifts.append(shift[column, row][kept])
            scores.append(score[kept])
        boxes = np.concatenate(windows)
        kept = suppress(boxes, np.concatenate(scores), 0.7)
        return _squares(_shifted(boxes, np.concatenate(shifts))[kept])

    def _refine(self, photo: Image.Image, squares: Doubles) -> Doubles:
        """R-Net: fewer and better squares."""
        shifts, faces = _run(self._rnet, _crops(photo, squares, 24))
        passed = np.flatnonzero(faces[:, 1] > THRESHOLDS[1])
        kept = passed[suppress(squares[passed], faces[passed, 1], 0.7)]
        return _squares(_shifted(squares[kept], shifts[kept]))

    def _conclude(self, photo: Image.Image, squares: Doubles) -> tuple[Doubles, Floats]:
        """O-Net: boxes N x 4 and scores N."""
        shifts, _, faces = _run(self._onet, _crops(photo, squares, 48))
        boxes = _shifted(squares, shifts)
        passed = np.flatnonzero(faces[:, 1] > THRESHOLDS[2])
        kept = passed[suppress(boxes[passed], faces[passed, 1], 0.7, over="smaller")]
        return boxes[kept], faces[kept, 1]

    def _landmarks(self, photo: Image.Image, squares: Doubles) -> Doubles:
        """O-Net once more on the final squares and on their mirror images: N x 5 x 2.

        MTCNN takes the landmarks of the look before. The second one lowers the median error of a frame's
        corners from 5.0 to 4.4 pixels (300 aligned faces) for under 1 ms a face.
        """
        crops = _crops(photo, squares, 48)
        points, mirrored = (
            _run(self._onet, views)[1].reshape(-1, 2, 5).swapaxes(1, 2) for views in (crops, crops[:, :, ::-1])
        )
        turned_back = (mirrored * [-1, 1] + [1, 0])[:, _MIRROR]
        side = (squares[:, 2] - squares[:, 0])[:, None, None]
        return squares[:, None, :2] + side * (points + turned_back) / 2


def pyramid(width: int, height: int, min_face: int) -> list[tuple[int, int]]:
    """Return the sizes (width, height) at which P-Net looks: faces of min_face pixels first, then larger."""
    scale, levels = WINDOW / min_face, []
    while min(width, height) * scale >= WINDOW:
        levels.append((math.ceil(width * scale), math.ceil(height * scale)))
        scale *= RATIO
    return levels


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    # Hamming averages an area when shrinking, as box does, but weighs pixels at a cell's edge by their share.
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.HAMMING)


def _crops(photo: Image.Image, squares: Doubles, side: int) -> RGB:
    """Cut squares out, black outside the picture: uint8 N x side x side x 3."""
    boxes: list[tuple[int, int, int, int]] = squares.astype(int).tolist()
    return np.stack([np.asarray(_resized(photo.crop(box), side, side)) for box in boxes])


def _run(net: onnxruntime.InferenceSession, pictures: RGB) -> list[Floats]:
    """Run a network on N x H x W x 3 pictures; it takes and gives N x W x H x channels, as Matlab did."""
    name = net.get_inputs()[0].name
    batches = (pictures[start : start + _BATCH] for start in range(0, len(pictures), _BATCH))
    outputs = [net.run(None, {name: (batch.swapaxes(1, 2) - np.float32(127.5)) / 128}) for batch in batches]
    return [np.concatenate(parts) for parts in zip(*outputs, strict=True)]


def _shifted(boxes: Doubles, shifts: npt.NDArray[np.floating]) -> Doubles:
    """Move the sides of boxes by fractions of their width and height."""
    return boxes + shifts * np.tile(boxes[:, 2:] - boxes[:, :2], 2)


def _squares(boxes: Doubles) -> Doubles:
    """Return squares about the boxes' centres with their longer side, in whole pixels."""
    side = np.maximum(np.rint((boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True)), 1)
    corner = np.rint((boxes[:, :2] + boxes[:, 2:] - side) / 2)
    return np.hstack([corner, corner + side])
