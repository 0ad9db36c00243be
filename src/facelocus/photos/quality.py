"""How much of a face there was to see, and how far its attributes can be trusted.

All of it comes from the picture and the landmarks, nothing from a model's answer. What is measured on the crop is
measured on its luma over the face itself (the rows and columns of _FACE), on the scale of the frame.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

import numpy as np
import numpy.typing as npt
from PIL import Image

from facelocus.attributes import FRAME
from facelocus.images.align import FITTED, LANDMARKS, Points, frame_to_photo, similarity
from facelocus.images.read import RGB

#: The part of the frame that is measured: forehead to chin, cheek to cheek.
_FACE = (slice(50, 194), slice(33, 145))

#: The logarithm (base 2) of sharpness from `detail`: a constant and a weight. Fitted to faces made 1.4 to 7 times
#: smaller and enlarged again (benchmarks/photographs/quality.py --fit).
SHARPNESS = (7.267, 10.161)

#: Sharpness is not told apart below this.
LEAST_SHARP = 0.05

#: The logit of trust: a constant, then the weight of each of `signs`. Fitted to validation faces, most of them
#: degraded in a seeded way (benchmarks/photographs/quality.py --fit). No weight is negative: more of a sign is never
#: worse.
TRUST = (4.397, 2.012, 1.954, 0.465, 1.091, 8.625, 1.313)

# How far the tip of the nose stands out before the eyes, in distances between the eyes. A mean head's.
_NOSE = 0.45

# In the frame: the distance between the eyes, from eyes to mouth, and how much of that to the tip of the nose.
_APART = float(LANDMARKS[1, 0] - LANDMARKS[0, 0])
_DOWN = float(LANDMARKS[3, 1] - LANDMARKS[0, 1])
_NOSE_SHARE = float(LANDMARKS[2, 1] - LANDMARKS[0, 1]) / _DOWN

# Points spread evenly over the frame.
_SPREAD = (
    (np.stack(np.meshgrid(np.arange(16), np.arange(16)), axis=-1).reshape(-1, 2) + 0.5) / 16 * [FRAME[1], FRAME[0]]
)


@dataclass(frozen=True)
class Quality:
    """How much there was to see of one face.

    Yaw and pitch come from where the tip of the nose lies between eyes and mouth, on a mean head: good for telling a
    profile from a portrait, not for measuring. Where a picture was given as aligned, nothing is known of what lies
    outside it or of landmarks: `inside` and the angles are None.

    Attributes:
        size: the longer side of the face's box, in pixels of the photograph; the frame shows a face about 115
            pixels high, so that below this the crop holds less detail than the network was trained on.
        sharpness: in [0.05, 1], the share of the frame's resolution that the crop seems to hold: 1 is detail down to
            the pixel, 0.25 looks like a face a quarter as wide that was enlarged, or as blurred. Noise and the edges
            of compression's blocks pass for detail.
        noise: standard deviation of the grain in levels of 0-255, at least 0.
        brightness: mean luma, in [0, 1].
        contrast: standard deviation of luma, in [0, 0.5].
        clipped: share of the face that is burnt out to white, in [0, 1].
        inside: share of the frame that lies in the photograph, in [0, 1]; the rest is its border, replicated.
        yaw: degrees the face is turned, above 0 towards the right side of the picture.
        pitch: degrees the face is raised, above 0 upwards.
        roll: degrees the head leans, above 0 clockwise as the picture is seen.
        trust: in [0, 1], how much of what a model reads from a good picture it still reads from this one, on average:
            1 as many right answers as on CelebA's own aligned faces, 0 no more than by giving every face the
            commonest answer to each attribute.
    """

    size: float
    sharpness: float
    noise: float
    brightness: float
    contrast: float
    clipped: float
    inside: float | None
    yaw: float | None
    pitch: float | None
    roll: float | None
    trust: float

    def to_json(self) -> dict[str, float | None]:
        """Return the fields in the order of COLUMNS, rounded: size and angles to 0.1, noise to 0.01, else to 0.001."""
        return {
            name: None if value is None else round(value, _DIGITS.get(name, 3)) for name, value in asdict(self).items()
        }


#: The keys of Quality.to_json, in order.
COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Quality))

_DIGITS = {"size": 1, "yaw": 1, "pitch": 1, "roll": 1, "noise": 2}


def judge(
    crop: RGB, box: tuple[float, float, float, float], landmarks: Points | None, size: tuple[int, int]
) -> Quality:
    """Return the Quality of one face; takes under a millisecond.

    Args:
        crop: the face in the frame, uint8 218 x 178 x 3.
        box: (x0, y0, x1, y1) in pixels of the photograph.
        landmarks: 5 x 2 (x, y) in pixels of the photograph; None for a picture given as aligned.
        size: (width, height) of the photograph.
    """
    grey = luma(crop)
    sharp, grain = sharpness(grey), noise(grey)
    brightness, contrast = float(grey.mean()) / 255, float(grey.std()) / 255
    red, green, blue = np.moveaxis(crop[_FACE], 2, 0)
    # Ten times as fast as the least along the last axis.
    clipped = float((np.minimum(np.minimum(red, green), blue) >= 250).mean())
    inside = None if landmarks is None else _inside(landmarks, size)
    yaw, pitch, roll = (None, None, None) if landmarks is None else pose(landmarks)
    good = signs(sharp, grain, brightness, contrast, clipped, 1.0 if inside is None else inside)
    return Quality(
        size=max(box[2] - box[0], box[3] - box[1]),
        sharpness=sharp,
        noise=grain,
        brightness=brightness,
        contrast=contrast,
        clipped=clipped,
        inside=inside,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        trust=trust(good),
    )


def luma(crop: RGB) -> npt.NDArray[np.float32]:
    """Return the luma of a crop's face, H x W in 0-255: what is measured."""
    return np.asarray(Image.fromarray(crop[_FACE]).convert("L")).astype(np.float32)


def sharpness(grey: npt.NDArray[np.float32]) -> float:
    """Return the sharpness of a face's luma, H x W in 0-255: see Quality."""
    logarithm = SHARPNESS[0] + SHARPNESS[1] * detail(grey)
    return float(2 ** min(0.0, max(math.log2(LEAST_SHARP), logarithm)))


def detail(grey: npt.NDArray[np.float32]) -> float:
    """Return how much luma changes over 2 pixels as against 4: a logarithm (base 2), about -1 where all is smooth.

    A picture moved while it was taken has lost its detail in one direction only, so the least of four counts.
    """
    near, far = (
        np.array(
            [
                np.abs(grey[:, step:] - grey[:, :-step]).mean(),
                np.abs(grey[step:] - grey[:-step]).mean(),
                np.abs(grey[step:, step:] - grey[:-step, :-step]).mean(),
                np.abs(grey[step:, :-step] - grey[:-step, step:]).mean(),
            ],
            np.float64,
        )
        + 0.25  # rounding to whole levels
        for step in (2, 4)
    )
    return float(np.log2(near / far).min())


def noise(grey: npt.NDArray[np.float32]) -> float:
    """Return the standard deviation of the grain in a face's luma, H x W in 0-255.

    Immerkaer's mask, which planes and straight edges leave at 0; its median, which hair and lashes hardly move.
    """
    rows = grey[:-2] - 2 * grey[1:-1] + grey[2:]
    masked = np.abs(rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:])
    return float(np.median(masked)) / 6 / 0.6745


def signs(
    sharpness: float, noise: float, brightness: float, contrast: float, clipped: float, inside: float
) -> npt.NDArray[np.float64]:
    """Return what trust is computed from: 6 numbers, more of each is better; 0 at the good end or near it."""
    return np.array(
        [
            math.log2(sharpness),
            -math.log2(max(noise, 1.5) / 1.5),
            min(0.0, math.log2((brightness + 0.01) / 0.25)),
            math.log2(contrast + 0.004) + 2,
            -clipped,
            inside - 1,
        ]
    )


def trust(good: npt.NDArray[np.float64]) -> float:
    """Return the trust that 6 `signs` give: see Quality."""
    return float(1 / (1 + np.exp(-TRUST[0] - good @ TRUST[1:])))


def pose(landmarks: Points) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees (see Quality) from 5 x 2 landmarks."""
    fitted = similarity(LANDMARKS[FITTED], landmarks[FITTED])
    roll = math.atan2(fitted[1, 0], fitted[0, 0])
    upright = landmarks @ np.array([1, 1j]) * np.exp(-1j * roll)
    eyes, nose, mouth = upright[:2].mean(), upright[2], upright[3:].mean()
    apart, down = upright[1].real - upright[0].real, mouth.imag - eyes.imag
    share = (nose.imag - eyes.imag) / down if down else _NOSE_SHARE
    aside = nose.real - (eyes.real + share * (mouth.real - eyes.real))
    yaw = math.atan2(aside, _NOSE * apart)
    pitch = math.atan((_NOSE_SHARE - share) * _DOWN / (_NOSE * _APART))
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


def _inside(landmarks: Points, size: tuple[int, int]) -> float:
    to_photo = frame_to_photo(landmarks)
    x, y = (_SPREAD @ to_photo[:, :2].T + to_photo[:, 2]).T
    width, height = size
    return float(((x >= 0) & (x <= width) & (y >= 0) & (y <= height)).mean())
