"""What a server allows, and to whom."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What is refused, so that no client can take the machine.

    Attributes:
        file_bytes: of one picture; more is answered by 413.
        request_bytes: of a whole request; counted as it comes in.
        held_bytes: of all requests that are not answered yet; one that would make it more is answered by 503.
        idle_seconds: that a request may send nothing before all of it is there; then it is answered by 408.
        files: pictures in one request.
        pixels: of one picture.
        seconds: that a picture may take once it is begun; its process is ended then, and the answer is 503.
        queue: pictures that wait; a request that would make it more is answered by 503 at once.
        share: of the queue that the requests of one client may fill, in (0, 1]; more is answered by 429.
    """

    file_bytes: int = 30 * MEGABYTE
    request_bytes: int = 120 * MEGABYTE
    held_bytes: int = 1000 * MEGABYTE
    idle_seconds: float = 30.0
    files: int = 32
    pixels: int = 100_000_000
    seconds: float = 30.0
    queue: int = 256
    share: float = 0.5


@dataclass(frozen=True)
class Options:
    """What a request asks of its pictures: see `facelocus.analyze`."""

    aligned: bool = False
    flip: bool = False
    min_quality: float = 0.0
    masks: bool = False
