"""Five landmarks -> the frame of CelebA's aligned faces: 218 rows x 178 columns.

Coordinates are continuous, (x, y), in pixels: the pixel in row 0 and column 0 covers [0, 1) x [0, 1), so its
centre is (0.5, 0.5) and a point scales with the picture.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelocus.attributes import FRAME
from facelocus.images.read import RGB

Points = npt.NDArray[np.float64]

#: Where the five landmarks lie in the frame: eye image-left, eye image-right, nose tip, mouth image-left,
#: mouth image-right. Means over official aligned faces, found by our own detector
#: (benchmarks/photographs/alignment.py), made symmetric (at most 0.1 pixel, the nose 0.7), so that a mirrored
#: photograph gives the mirrored crop.
LANDMARKS: Points = np.array([[69.53, 111.72], [108.47, 111.72], [89.0, 135.6], [71.6, 152.91], [106.4, 152.91]])

#: The landmarks the fit uses. The nose tip is left out: it moves with the pose of the head.
FITTED = [0, 1, 3, 4]

#: What corrects the fit: 10 x 4, from how far the fitted landmarks lie from LANDMARKS (x and y of each, in pixels of
#: the frame) to the logarithm of a zoom and a turn (radians) about the frame's centre, and a move in x and y (pixels).
#: The best linear guess on 6,000 official aligned faces of CelebA's train people and their mirror images
#: (benchmarks/photographs/alignment.py): where a smile widens the mouth, the face has not grown.
CORRECTION: Points = np.array(
    [
        [0.0054, -0.0006, -0.0505, -0.0217],
        [0.0001, 0.0047, 0.0059, -0.0487],
        [-0.0054, -0.0006, -0.0505, 0.0217],
        [0.0001, -0.0047, -0.0059, -0.0487],
        [0.0, 0.0002, 0.0012, 0.0],
        [0.0006, 0.0, 0.0, -0.003],
        [-0.0062, 0.0006, 0.0505, 0.1395],
        [-0.0001, -0.0066, -0.1261, 0.0487],
        [0.0062, 0.0006, 0.0505, -0.1395],
        [-0.0001, 0.0066, 0.1261, 0.0487],
    ]
)

#: A landmark further off than this, in pixels of the frame, is a mistaken one: it corrects no more than this.
FURTHEST = 15.0

# About so many pixels are taken at once.
_STRIP = 4_000_000

# Columns and rows replicated around the sampled part, so that bicubic weights always find neighbours.
_MARGIN = 4


def similarity(source: Points, target: Points) -> Points:
    """Return the 2 x 3 matrix of the rotation, scaling and shift that best takes source to target (N x 2).

    Least squares, without reflection: seen as complex numbers the map is z -> a z + b.

    Raises:
        ValueError: the source points coincide, so that no scale can be found.
    """
    here, there = np.asarray(source, np.float64), np.asarray(target, np.float64)
    z, w = here @ [1, 1j], there @ [1, 1j]
    spread = z - z.mean()
    if not spread.any():
        raise ValueError("the source points coincide")
    a = np.vdot(spread, w) / np.vdot(spread, spread).real
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def frame_to_photo(landmarks: Points) -> Points:
    """Return the 2 x 3 similarity from points of the frame to points of the photograph with these 5 x 2 landmarks."""
    # Fitted from frame to photograph: the photograph's landmarks are the noisy side, and landmarks that make
    # no sense give a small patch, not a huge one.
    fitted = similarity(LANDMARKS[FITTED], np.asarray(landmarks)[FITTED])
    if not fitted[:, :2].any():  # they coincide: there is nothing to correct
        return fitted
    in_frame = (landmarks - fitted[:, 2]) @ np.linalg.inv(fitted[:, :2]).T
    off = np.clip(in_frame - LANDMARKS, -FURTHEST, FURTHEST)
    zoom, turn, right, down = off.ravel() @ CORRECTION
    # From a corrected point of the frame back to the one it was fitted to, about the centre.
    back = np.exp(-zoom - 1j * turn)
    turned = np.array([[back.real, -back.imag], [back.imag, back.real]])
    centre = np.array([FRAME[1] / 2, FRAME[0] / 2])
    moved = centre - turned @ (centre + np.array([right, down]))
    to_photo: Points = fitted @ np.vstack([np.column_stack([turned, moved]), [0, 0, 1]])
    return to_photo


def align(image: RGB, landmarks: Points) -> RGB:
    """Warp the face at `landmarks` of a uint8 H x W x 3 picture into the frame: uint8 218 x 178 x 3.

    `landmarks` is 5 x 2 (x, y) in the order of LANDMARKS. What lies outside the picture is filled by
    replicating its border, as CelebA does.
    """
    to_photo = frame_to_photo(landmarks)
    rows, columns, _ = FRAME
    corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]]) @ to_photo.T

    # Shrinking first, so that one bicubic sample a pixel is enough: by a whole number (box), then by what is left.
    shrink = max(1.0, float(np.hypot(*to_photo[:, 0])))
    reduction = int(shrink)
    margin = _MARGIN * math.ceil(shrink)
    left, top = np.floor(corners.min(axis=0)).astype(int) - margin
    size = -(-(np.ceil(corners.max(axis=0)).astype(int) + margin - (left, top)) // reduction) * reduction
    part = _reduced(image, np.arange(left, left + size[0]), np.arange(top, top + size[1]), reduction)
    wide, high = (max(1, round(side / shrink)) for side in size)
    if (wide, high) != part.size:
        part = part.resize((wide, high), Image.Resampling.BICUBIC)
    to_part = (to_photo - [[0, 0, left], [0, 0, top]]) * [[wide / size[0]], [high / size[1]]]
    coefficients = to_part.ravel().tolist()
    # Channel by channel as floats: on 8 bits Pillow's transform rounds down, which darkens by half a level.
    channels = [
        np.asarray(
            channel.convert("F").transform(
                (columns, rows), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
            )
        )
        for channel in part.split()
    ]
    frame: RGB = np.clip(np.rint(np.stack(channels, axis=-1)), 0, 255).astype(np.uint8)
    return frame


def _reduced(image: RGB, columns: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], reduction: int) -> Image.Image:
    """Return the rows and columns of a picture, repeated beyond its border, averaged over squares of `reduction`.

    In strips: a face that fills a picture of 200 million pixels would otherwise take its memory four times.
    """
    height = reduction * max(1, _STRIP // (reduction * len(columns)))
    strips = []
    for start in range(0, len(rows), height):
        strip = image.take(rows[start : start + height], axis=0, mode="clip").take(columns, axis=1, mode="clip")
        strips.append(np.asarray(Image.fromarray(strip).reduce(reduction)))
    return Image.fromarray(np.concatenate(strips))


def fit_to_frame(image: RGB) -> RGB:
    """Return a picture that is a face crop already in the frame's size: uint8 218 x 178 x 3."""
    if image.shape == FRAME:
        return image
    return np.array(Image.fromarray(image).resize((FRAME[1], FRAME[0]), Image.Resampling.BICUBIC))
