"""Pictures whose worker process is lost: which are tried again, and how often."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from facelocus.model import Model
from facelocus.serve import queue
from facelocus.serve.queue import Queue
from facelocus.serve.settings import Limits, Options
from facelocus.serve.work import Picture, Workshop, warm_up

#: What a worker process does instead of describing: it notes that it was asked, beside the picture's name.
Describe = Callable[[Sequence[Picture], Options, Workshop], list[dict[str, Any]]]


def asked(picture: Picture) -> int:
    """Note that a picture is asked about; return how often it was, this time included."""
    with Path(picture.name).open("a") as notes:
        notes.write(".")
    return len(Path(picture.name).read_text())


def answers(pictures: Sequence[Picture]) -> list[dict[str, Any]]:
    return [{"name": picture.name, "faces": [], "error": None} for picture in pictures]


def is_asked_about_bad(pictures: Sequence[Picture]) -> bool:
    return b"bad" in [picture.content for picture in pictures if asked(picture)]


def killed_the_first_time(pictures: Sequence[Picture], options: Options, workshop: Workshop) -> list[dict[str, Any]]:
    if 1 in [asked(picture) for picture in pictures]:
        os._exit(1)
    return answers(pictures)


def killed_by_what_is_bad(pictures: Sequence[Picture], options: Options, workshop: Workshop) -> list[dict[str, Any]]:
    if is_asked_about_bad(pictures):
        os._exit(1)
    return answers(pictures)


def slow(pictures: Sequence[Picture], options: Options, workshop: Workshop) -> list[dict[str, Any]]:
    if is_asked_about_bad(pictures):
        time.sleep(600)
    return answers(pictures)


def fails_over_what_is_bad(pictures: Sequence[Picture], options: Options, workshop: Workshop) -> list[dict[str, Any]]:
    if is_asked_about_bad(pictures):
        raise IndexError("not foreseen")
    return answers(pictures)


def opened_here(workshop: Workshop) -> None:
    """Open everything and, as this function is pickled by its name, import this file: that is on the start's time."""
    warm_up(workshop)


def described(
    function: Describe, pictures: Sequence[Picture], monkeypatch: pytest.MonkeyPatch, seconds: float = 60
) -> list[str | None]:
    """Return the messages with which pictures of one request were refused by a server of one worker; None: answered."""
    monkeypatch.setattr(queue, "describe", function)
    monkeypatch.setattr(queue, "warm_up", opened_here)
    model = Model.load("default")

    async def serve() -> list[dict[str, Any]]:
        lanes = Queue(Workshop(model.path, model.sha256, 1), Limits(seconds=seconds), 1)
        try:
            await lanes.start()
            return await lanes.describe(pictures, Options(), "client")
        finally:
            await lanes.stop()

    return [entry["error"] and entry["error"]["message"] for entry in asyncio.run(serve())]


def test_a_picture_alone_is_tried_once_more_when_its_process_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Picture(str(tmp_path / "a"), b"good")
    assert described(killed_the_first_time, [picture], monkeypatch) == [None]
    assert asked(picture) == 3  # twice, and now


def test_a_picture_that_kills_its_process_is_refused_the_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [Picture(str(tmp_path / name), b"bad" if name == "b" else b"good") for name in "abc"]
    good, bad, other = described(killed_by_what_is_bad, pictures, monkeypatch)
    assert good is other is None and bad is not None and "b took too long, or more memory" in bad
    assert [asked(picture) for picture in pictures] == [3, 3, 3]
    alone = Picture(str(tmp_path / "alone"), b"bad")
    assert described(killed_by_what_is_bad, [alone], monkeypatch) != [None]
    assert asked(alone) == 3


def test_a_picture_that_was_slow_alone_is_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Picture(str(tmp_path / "a"), b"bad")
    (message,) = described(slow, [picture], monkeypatch, seconds=2)
    assert message is not None and "a took too long" in message
    assert asked(picture) == 2  # once, and now


def test_an_error_that_nobody_foresaw_is_that_of_its_picture_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [Picture(str(tmp_path / name), b"bad" if name == "b" else b"good") for name in "abc"]
    good, bad, other = described(fails_over_what_is_bad, pictures, monkeypatch)
    assert good is other is None and bad == "internal error, IndexError not foreseen: report it"
    assert [asked(picture) for picture in pictures] == [3, 3, 3]
