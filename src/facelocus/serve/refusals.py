"""What the server answers instead of a result: one shape, the status by the class."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi.responses import JSONResponse

from facelocus.errors import FacelocusError, InputError, ModelFileError, StorageError, UsageError

LOG = logging.getLogger("facelocus.serve")

#: The header that names a request, in answers and in the log.
REQUEST_ID = "X-Request-ID"

#: In log and counts, of a request whose client has gone; nobody reads it.
GONE = 499


class TooLargeError(UsageError):
    """A request, a file or a picture is larger than the server takes."""


class TooManyError(UsageError):
    """One client asks for more at a time than its share."""


class BusyError(FacelocusError):
    """As much is waiting as the server holds."""


class TooSlowError(FacelocusError):
    """A picture took too long, and would again."""


class SlowError(UsageError):
    """A request begins and is not gone on with."""


class UnreadableError(FacelocusError):
    """The library cannot be read."""


class GoneError(FacelocusError):
    """The client has gone before it was answered."""


class UnknownError(UsageError):
    """There is nothing at this address, or under this id."""


class NotAllowedError(UsageError):
    """The request has no token, or another one."""


#: The first class of an error that stands here says its status.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (TooLargeError, 413),
    (TooManyError, 429),
    (BusyError, 503),
    (TooSlowError, 503),
    (SlowError, 408),
    (GoneError, GONE),
    (UnknownError, 404),
    (NotAllowedError, 401),
    (StorageError, 500),
    (ModelFileError, 500),  # no client names one
    (UsageError, 422),
    (InputError, 422),
)

#: Seconds after which a client that was sent away may come again.
_AGAIN = "2"


def status_of(error: FacelocusError) -> int:
    """Return the HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def refusal(error: FacelocusError, request_id: str) -> JSONResponse:
    """Return the answer that says what is wrong and what mends it."""
    status = status_of(error)
    headers = {} if isinstance(error, TooSlowError) else headers_of(status)
    return JSONResponse(about(type(error).__name__, told(error, request_id), request_id), status, headers)


def told(error: FacelocusError, request_id: str) -> str:
    """Return what a client is told of an error: why the server failed, with its paths, is in the log alone."""
    if status_of(error) != 500:
        return str(error)
    LOG.error(json.dumps({"request": request_id, "error": type(error).__name__, "reason": str(error)}))
    return "the server failed over this request: its log has the reason under the request's id"


def about(kind: str, message: str, request_id: str) -> dict[str, Any]:
    """Return the one shape of all errors."""
    return {"error": {"type": kind, "message": message, "request": request_id}}


def headers_of(status: int) -> dict[str, str]:
    """Return what HTTP wants beside a status."""
    if status in (429, 503):
        return {"Retry-After": _AGAIN}
    return {"WWW-Authenticate": "Bearer"} if status == 401 else {}
