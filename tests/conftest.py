"""No test writes into the user's cache folder; and a real face to find: matplotlib's sample portrait, public domain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

if TYPE_CHECKING:
    from facelocus.detection.detect import Detector

#: Eyes, nose tip and corners of the mouth of the portrait, marked by hand (x, y).
MARKED = np.array([[222, 193], [309, 190], [268, 239], [231, 279], [304, 275]])


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Move $FACELOCUS_CACHE into a temporary folder."""
    folder = tmp_path_factory.getbasetemp() / "facelocus-cache"
    monkeypatch.setenv("FACELOCUS_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def portrait_file() -> Path:
    return Path(pytest.importorskip("matplotlib").get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def portrait(portrait_file: Path) -> npt.NDArray[np.uint8]:
    from facelocus.images.read import read_image

    return read_image(portrait_file)


@pytest.fixture(scope="session")
def detector() -> Detector:
    from facelocus.detection.detect import Detector

    return Detector(threads=1)


@pytest.fixture(scope="session")
def marked() -> npt.NDArray[np.int64]:
    return MARKED
