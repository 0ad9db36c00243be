"""What every request goes through: its id, the token, size and pace of its body, headers, the log and the counts."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facelocus.errors import FacelocusError
from facelocus.provenance import now
from facelocus.serve.metrics import Metrics
from facelocus.serve.refusals import (
    GONE,
    LOG,
    REQUEST_ID,
    BusyError,
    NotAllowedError,
    SlowError,
    TooLargeError,
    about,
    refusal,
)
from facelocus.serve.settings import MEGABYTE, Limits
from facelocus.serve.waiting import within

#: What a page from here may do: nothing with any other host.
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
    "style-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
#: The documentation's page is written by a library, with a script in it.
DOCS_POLICY = (
    "default-src 'self'; img-src 'self' data:; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}

#: What anybody may read: the page, which asks for the token, without its networks, and whether the server lives.
_OPEN = re.compile(r"/(healthz|docs|openapi\.json|page/(?!models/).*|static-offline-docs/.*)?")

#: How this machine calls itself. Under another name a page of another site might have been led here.
_HERE = re.compile(r"(localhost|127(\.\d+){3}|\[::1\])(:\d+)?", re.IGNORECASE)

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class _Exchange:
    """One request and what became of it."""

    id: str
    method: str
    started: float = field(default_factory=time.perf_counter)
    received: int = 0
    status: int = 0


class Guard:
    """ASGI middleware around the whole application.

    Args:
        app: what is guarded.
        limits: of bytes, and of the time between them.
        token: that requests must carry; None for none.
        metrics: where requests are counted.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, token: str | None, metrics: Metrics) -> None:
        self._app, self._limits, self._token, self._metrics = app, limits, token, metrics
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get(REQUEST_ID, "")
        exchange = _Exchange(asked if _SANE_ID.fullmatch(asked) else uuid.uuid4().hex, scope["method"])
        scope.setdefault("state", {})["request_id"] = exchange.id
        if scope["method"] == "HEAD":  # whoever sends the answer leaves its body away
            scope = dict(scope, method="GET")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                if exchange.status:  # refused while its body came in
                    return
                exchange.status = message["status"]
                added = MutableHeaders(scope=message)
                added[REQUEST_ID] = exchange.id
                added["Content-Security-Policy"] = DOCS_POLICY if scope["path"] == "/docs" else POLICY
                added.update(_HEADERS)
            await send(message)

        refused, whole = False, False

        async def counted() -> Message:
            nonlocal refused, whole
            if refused:
                raise _RefusedError
            try:
                message = await (receive() if whole else self._in_time(receive))
                whole = not message.get("more_body", False)
                size = len(message.get("body", b""))
                exchange.received += size
                self._held += size
                if size:
                    self._refuse(exchange.received)
            except FacelocusError as error:
                refused = True
                told = refusal(error, exchange.id)
                told.headers["Connection"] = "close"  # the rest is not even read
                await told(scope, receive, answer)
                raise _RefusedError from error
            return message

        async def unless_refused(message: Message) -> None:
            if not refused:
                await answer(message)

        try:
            self._admit(scope["path"], headers)
            await self._app(scope, counted, unless_refused)
        except _RefusedError:
            pass
        except FacelocusError as error:
            await refusal(error, exchange.id)(scope, receive, answer)
        except Exception as error:
            if exchange.status:
                raise
            LOG.exception(json.dumps({"request": exchange.id, "error": type(error).__name__}))
            shown = about("InternalError", "the server failed over this request: report it with its id", exchange.id)
            await JSONResponse(shown, 500)(scope, receive, answer)
        finally:
            self._held -= exchange.received
            self._note(scope, exchange)

    def _admit(self, path: str, headers: Headers) -> None:
        """Look at what a request says of itself.

        Raises:
            NotAllowedError, TooLargeError: it is not let in.
        """
        if self._token is None and not _HERE.fullmatch(headers.get("Host", "")):
            raise NotAllowedError(
                "without a token this server answers to localhost alone: give it one, --token-file FILE"
            )
        led_here = headers.get("Sec-Fetch-Mode") == "navigate" and _OPEN.fullmatch(path)
        if self._token is None and _from_elsewhere(headers) and not led_here:
            raise NotAllowedError("a page of another site may not ask this server: open the server's own page")
        if self._token is not None and not _OPEN.fullmatch(path):
            kind, _, given = headers.get("Authorization", "").partition(" ")
            same = hmac.compare_digest(given.strip().encode(), self._token.encode())
            if kind.lower() != "bearer" or not same:
                raise NotAllowedError("this server asks for its token: send `Authorization: Bearer TOKEN`")
        length = headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) > self._limits.request_bytes:
            raise self._too_large()

    async def _in_time(self, receive: Receive) -> Message:
        """Return the next piece of a body.

        Raises:
            SlowError: it does not come.
        """
        seconds = self._limits.idle_seconds
        try:
            return await within(asyncio.ensure_future(receive()), seconds)
        except TimeoutError as error:
            raise SlowError(f"nothing came for {seconds:g} seconds: send the whole request") from error

    def _refuse(self, received: int) -> None:
        """Look at what has come of a request, and of all.

        Raises:
            TooLargeError, BusyError: it is more than is held.
        """
        if received > self._limits.request_bytes:
            raise self._too_large()
        if self._held > self._limits.held_bytes:
            raise BusyError("the server holds as many pictures as it may: try again in a moment")

    def _too_large(self) -> TooLargeError:
        most = self._limits.request_bytes / MEGABYTE
        return TooLargeError(f"the request has more than {most:g} MB: send fewer or smaller pictures at a time")

    def _note(self, scope: Scope, exchange: _Exchange) -> None:
        """Count and log; of what was sent only how much it was."""
        seconds = time.perf_counter() - exchange.started
        route = getattr(scope.get("route"), "path", "none")
        status = exchange.status or GONE
        self._metrics.request(route, status, seconds)
        client = scope.get("client")
        line: dict[str, Any] = {
            "time": now(),
            "request": exchange.id,
            "client": client[0] if client else None,
            "method": exchange.method,
            "route": route,
            "status": status,
            "bytes": exchange.received,
            "seconds": round(seconds, 4),
        }
        LOG.info(json.dumps(line))


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that a page of another origin asks; older ones name its origin only."""
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        return site in ("cross-site", "same-site")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("Host", "").lower()


class _RefusedError(Exception):
    """The body is too large; the answer is out."""
