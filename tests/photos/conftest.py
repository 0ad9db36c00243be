"""A real face to find: matplotlib's sample portrait, in the public domain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from facelocus.images.read import read_image
from facelocus.photos.detect import Detector

#: Eyes, nose tip and corners of the mouth of the portrait, marked by hand (x, y).
MARKED = np.array([[222, 193], [309, 190], [268, 239], [231, 279], [304, 275]])


@pytest.fixture(scope="session")
def portrait_file() -> Path:
    return Path(pytest.importorskip("matplotlib").get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def portrait(portrait_file: Path) -> npt.NDArray[np.uint8]:
    return read_image(portrait_file)


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector(threads=1)


@pytest.fixture(scope="session")
def marked() -> npt.NDArray[np.int64]:
    return MARKED
