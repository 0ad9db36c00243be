"""What a product may rely on: nothing leaves the machine, threads may share, the same picture gives the same bits."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from facelocus.detection.detect import Detector
from facelocus.model import Model
from facelocus.photos.analyze import Face, analyze

# Every use of a network by Python raises an event of these names, whoever asks.
WATCHED = """
import sys

def refuse(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.", "ftplib.", "smtplib.")):
        raise SystemExit(f"used the network: {event} {arguments}")

sys.addaudithook(refuse)
"""


def watched(code: str, *arguments: object) -> str:
    words = [sys.executable, "-c", WATCHED + code, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_nothing_leaves_the_machine(portrait_file: Path) -> None:
    code = """
import facelocus
faces = facelocus.analyze(sys.argv[1])
faces += facelocus.analyze(faces[0].crop, aligned=True)
print(len(faces))
"""
    assert watched(code, portrait_file) == "2\n"
    with pytest.raises(subprocess.CalledProcessError, match="exit status 1"):
        watched("import socket\nsocket.create_connection(('127.0.0.1', 9))")


def same(one: list[Face], other: list[Face]) -> bool:
    return [face.to_json() for face in one] == [face.to_json() for face in other] and all(
        np.array_equal(mine.crop, their.crop) for mine, their in zip(one, other, strict=True)
    )


def test_faces_are_told_apart_as_objects(portrait: npt.NDArray[np.uint8], model: Model, detector: Detector) -> None:
    first, second = (analyze(portrait, model=model, detector=detector) for _ in range(2))
    assert len({*first, *second}) == len(first) + len(second) > 0
    assert first == first[:] and first != second and same(first, second)


def test_a_detector_travels_to_another_process(portrait: npt.NDArray[np.uint8], detector: Detector) -> None:
    (here,), (there,) = (each.detect(portrait) for each in (detector, pickle.loads(pickle.dumps(detector))))
    assert here.box == there.box


def test_threads_share_a_model_and_a_detector(
    portrait: npt.NDArray[np.uint8], model: Model, detector: Detector
) -> None:
    pictures = [portrait[:, shift:] for shift in range(8)]
    alone = [analyze(picture, model=model, detector=detector) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: analyze(picture, model=model, detector=detector), pictures))
    assert all(map(same, alone, together))
    assert not same(alone[0], alone[7])
