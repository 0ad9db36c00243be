"""How accuracy grows with the training images, and what that says of all of CelebA's.

The error is taken to fall as a + b n^-c towards a floor a >= 0, with b >= 0 and c from 0.1 to 1: the form that learning
curves are mostly found to have. Of its three numbers c is the least certain with four or five sizes, so it is searched
on a grid and drawn anew in each resample. A straight line in log n, which has no floor, stands beside it: where the two
part, the form decides and not the data.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from facelocus.metrics.intervals import interval
from facelocus.reports.grid.differences import Estimate, Resamples
from facelocus.reports.paper.conditions import Cell
from facelocus.reports.paper.records import Records
from facelocus.reports.paper.runs import FORMS, MODULES, Run
from facelocus.reports.published import TRAINING_IMAGES

#: Sizes of the training set from which a fit of three numbers is made.
LEAST = 4
#: Points of a drawn curve.
_DRAWN = 60
#: Exponents c that are tried.
EXPONENTS = np.linspace(0.1, 1, 91)

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """A fitted curve and where it leads.

    Attributes:
        images: numbers of images at which it is drawn, from the smallest size to TRAINING_IMAGES.
        curve: accuracy there, in percent.
        low, high: its 95 % interval there over people and seeds; None without counts of people.
        floor, exponent: a in percent, and c.
        line: accuracy at TRAINING_IMAGES by a straight line in log n.
    """

    images: _Floats
    curve: _Floats
    low: _Floats | None
    high: _Floats | None
    floor: float
    exponent: float
    line: float


@dataclass(frozen=True)
class Growth:
    """Accuracy of one cell of the grid, trained on shares of the images.

    Attributes:
        trunk, module, form: which.
        iterations: the fewest and the most of its runs.
        points: training images -> accuracy, ascending.
        fit: None with fewer than LEAST sizes.
    """

    trunk: str
    module: str
    form: str
    iterations: tuple[int, int]
    points: dict[int, Estimate]
    fit: Fit | None


def growths(records: Records, resamples: Resamples) -> list[Growth]:
    """Return every cell that was trained on more than one share of the images."""
    found: dict[tuple[str, str, str, bool, float, str, str], dict[int, dict[int, Run]]] = defaultdict(dict)
    for run in sorted(records.runs, key=lambda run: (run.purpose != "growth", run.run)):
        if not run.stand_in:
            about = (run.form, run.trunk, run.module, run.normalised, run.rate, run.rest, run.test.labels)
            found[about].setdefault(run.data.training_images, {}).setdefault(run.seed, run)
    kept = []
    for (form, trunk, module, *_), sizes in found.items():
        if len(sizes) > 1:
            cells = {images: tuple(by[seed] for seed in sorted(by)) for images, by in sorted(sizes.items())}
            iterations = [run.iterations for cell in cells.values() for run in cell]
            points = {images: resamples.mean(cell, "mean_accuracy_at_half") for images, cell in cells.items()}
            fit = _fit(cells, points, resamples) if len(cells) >= LEAST else None
            kept.append(Growth(trunk, module, form, (min(iterations), max(iterations)), points, fit))
    order = list(FORMS), list(MODULES)
    return sorted(kept, key=lambda each: (order[0].index(each.form), each.trunk, order[1].index(each.module)))


def _fit(cells: dict[int, Cell], points: dict[int, Estimate], resamples: Resamples) -> Fit:
    images = np.array(list(cells), dtype=np.float64)
    errors = 100 - np.array([[point.value for point in points.values()]])
    at = np.geomspace(images[0], max(TRAINING_IMAGES, images[-1]), _DRAWN)
    floor, factor, exponent = power_law(images, errors)
    slope, level = np.polyfit(np.log(images), 100 - errors[0], 1)
    # Seeds of each size are drawn for themselves: another share of the images is another run.
    drawn = [resamples.drawn(cell, "mean_accuracy_at_half", size) for size, cell in cells.items()]
    known = [each for each in drawn if each is not None]
    low = high = None
    if len(known) == len(drawn):
        curves = _accuracy(*power_law(images, 100 - np.stack(known, axis=1)), at)
        low, high = np.array([interval(column) for column in curves.T]).T
    return Fit(
        images=at,
        curve=_accuracy(floor, factor, exponent, at)[0],
        low=low,
        high=high,
        floor=float(floor[0]),
        exponent=float(exponent[0]),
        line=float(level + slope * np.log(TRAINING_IMAGES)),
    )


def power_law(images: _Floats, errors: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return the least squares a, b, c of error = a + b images^-c, each of shape B.

    Args:
        images: K sizes.
        errors: B x K, in percent.
    """
    best = np.full((4, len(errors)), np.inf)  # squares, a, b, c
    for c in EXPONENTS:
        x = images**-c
        apart = x - x.mean()
        b = errors @ apart / (apart @ apart)
        a = errors.mean(axis=1) - b * x.mean()
        b = np.where(a < 0, errors @ x / (x @ x), b)
        a = np.maximum(a, 0)
        a = np.where(b < 0, errors.mean(axis=1), a)
        b = np.maximum(b, 0)
        squares = ((a[:, None] + b[:, None] * x - errors) ** 2).sum(axis=1)
        better = squares < best[0]
        best[:, better] = np.stack([squares, a, b, np.full_like(a, c)])[:, better]
    return best[1], best[2], best[3]


def _accuracy(a: _Floats, b: _Floats, c: _Floats, images: Sequence[float] | _Floats) -> _Floats:
    """Return accuracy in percent, B x K, at K numbers of images."""
    accuracy: _Floats = 100 - a[:, None] - b[:, None] * np.asarray(images)[None, :] ** -c[:, None]
    return accuracy
