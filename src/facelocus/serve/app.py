"""The application: what is served, put together."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.security import HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from facelocus import __version__
from facelocus.errors import FacelocusError, StorageError
from facelocus.model import Model
from facelocus.serve import library, pictures
from facelocus.serve.guard import Guard
from facelocus.serve.known import tag_of, unless_known
from facelocus.serve.metrics import Metrics
from facelocus.serve.queue import Queue
from facelocus.serve.refusals import GoneError, UnknownError, about, headers_of, refusal
from facelocus.serve.settings import Limits
from facelocus.serve.shapes import Health
from facelocus.serve.static import page_files, type_of
from facelocus.serve.work import Workshop


@dataclass(frozen=True)
class Served:
    """What a server serves, and to whom.

    Attributes:
        model: that answers.
        library: the folder of a library; None for none.
        token: that requests must carry; None for none.
        workers: processes that describe pictures.
        limits: what is refused.
    """

    model: Model
    library: Path | None = None
    token: str | None = None
    workers: int = 1
    limits: Limits = field(default_factory=Limits)


def make_app(served: Served) -> FastAPI:
    """Return the application; its workers start and end with it.

    Raises:
        InputError, UsageError, StorageError: the library cannot be read.
    """
    model, limits = served.model, served.limits
    queue = Queue(Workshop(model.path, model.sha256, limits.pixels), limits, served.workers)
    metrics = Metrics(lambda: len(queue))
    queue.on_batch = metrics.batch

    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        await queue.start()
        yield
        await queue.stop()

    app: FastAPI = FastAPIOffline(
        redoc_url=None,
        title="facelocus",
        version=__version__,
        summary="Faces of photographs, their attributes, and a library of them.",
        lifespan=alive,
        openapi_tags=[{"name": "pictures"}, {"name": "library"}, {"name": "server"}],
    )
    app.add_middleware(Guard, limits=limits, token=served.token, metrics=metrics)
    _refuse_in_one_shape(app)
    # For the documentation alone, that it can send one: the guard has looked at it by then.
    token = [Depends(HTTPBearer(auto_error=False))] if served.token is not None else []
    app.include_router(pictures.routes(model, queue, limits, metrics, served.library is not None), dependencies=token)
    if served.library is not None:
        shelf = library.Shelf(served.library)
        shelf.reader()
        app.include_router(library.routes(shelf), dependencies=token)

    @app.get("/healthz", response_model=Health, tags=["server"])
    async def healthz() -> dict[str, Any]:
        """Say that the server answers."""
        return {"status": "ok", "waiting": len(queue)}

    @app.get(
        "/metrics",
        response_class=Response,
        tags=["server"],
        responses={401: pictures.REFUSED[401]},
        dependencies=token,
    )
    async def counts() -> Response:
        """Count requests, pictures and what waits, for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    shown = page_files(model)

    @app.get("/", include_in_schema=False)
    @app.get("/page/{path:path}", include_in_schema=False)
    async def page(request: Request) -> Response:
        address = request.scope["path"].removeprefix("/")  # what the guard looked at: a URL leaves characters out
        found = shown.get(address)
        if found is None:
            raise UnknownError("there is no such page: begin at /")
        headers = {"Cache-Control": "no-cache"}
        if isinstance(found, bytes):
            headers["ETag"] = tag_of(found)
            return unless_known(request, Response(found, media_type=type_of(address), headers=headers))
        file = FileResponse(found, media_type=type_of(found.name), headers=headers, stat_result=found.stat())
        return unless_known(request, file)

    return app


def _refuse_in_one_shape(app: FastAPI) -> None:
    """Give the framework's own refusals the shape of ours."""

    def request_id(request: Request) -> str:
        return str(request.state.request_id)

    @app.exception_handler(FacelocusError)
    async def _(request: Request, error: FacelocusError) -> JSONResponse:
        return refusal(error, request_id(request))

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return JSONResponse(about("UsageError", f"{place}: {first['msg']}; see /docs", request_id(request)), 422)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, OSError):  # large uploads lie on the disk
            reason = f"an upload cannot be held ({error.__cause__.strerror}): free space in {tempfile.gettempdir()}"
            return refusal(StorageError(reason), request_id(request))
        if isinstance(error.__cause__, ClientDisconnect):
            return refusal(GoneError("the client has gone"), request_id(request))
        # A body that is none, or a path that nobody serves.
        status = 422 if error.status_code == 400 else error.status_code
        kind = {404: "UnknownError", 405: "UnknownError"}.get(status, "UsageError")
        content = about(kind, f"{error.detail}; see /docs", request_id(request))
        return JSONResponse(content, status, dict(error.headers or {}) | headers_of(status))
