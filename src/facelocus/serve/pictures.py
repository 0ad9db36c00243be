"""What the server says of pictures that are sent to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, File, Query, Request, UploadFile

from facelocus.errors import FacelocusError, ImageError, ModelFileError, WorkerError
from facelocus.images.read import source_name
from facelocus.model import Model
from facelocus.serve.card import card_of
from facelocus.serve.metrics import Metrics
from facelocus.serve.queue import Queue
from facelocus.serve.refusals import GoneError, TooLargeError, TooSlowError, told
from facelocus.serve.settings import MEGABYTE, Limits, Options
from facelocus.serve.shapes import Analysis, ModelCard, Refusal
from facelocus.serve.work import Picture

REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal} for status in (401, 408, 413, 422, 429, 500, 503)
}

_T = TypeVar("_T")


def routes(model: Model, queue: Queue, limits: Limits, metrics: Metrics, library: bool) -> APIRouter:
    """Return /analyze and /model."""
    router = APIRouter(tags=["pictures"])
    card = card_of(model, library)

    @router.post("/analyze", response_model=Analysis, response_model_exclude_unset=True, responses=REFUSED)
    async def analyze(
        request: Request,
        files: Annotated[list[UploadFile], File(min_length=1, description="one picture or more, JPEG, PNG, WebP, ...")],
        masks: Annotated[bool, Query(description="also where the network looked")] = False,
        aligned: Annotated[bool, Query(description="the pictures are face crops framed like CelebA's")] = False,
        flip: Annotated[
            bool, Query(description="average with the mirrored face, if the model does not by itself")
        ] = False,
        min_quality: Annotated[float, Query(ge=0, le=1, description="leave out faces whose trust is below")] = 0.0,
    ) -> dict[str, Any]:
        """Find the faces of each picture and say what is seen on them.

        A picture that cannot be read carries its error; only where none can be read the request is refused.
        """
        if len(files) > limits.files:
            raise TooLargeError(f"{len(files)} pictures in one request: send at most {limits.files}")
        pictures = [await _read(file, limits) for file in files]
        client = request.client.host if request.client else ""
        asked = queue.describe(pictures, Options(aligned, flip, min_quality, masks), client)
        entries = await _while_there(request, asked)
        for entry in entries:
            metrics.picture(len(entry["faces"]), entry["error"] is not None)
        wrong = [entry for entry in entries if entry["error"] is not None]
        if len(wrong) == len(entries):
            raise _error(wrong[0])
        for entry in wrong:
            entry["error"]["message"] = told(_error(entry), request.state.request_id)
        return {"model": {"name": model.name, "sha256": model.sha256}, "pictures": entries}

    @router.get("/model", response_model=ModelCard, responses={401: REFUSED[401]})
    async def about_model() -> dict[str, Any]:
        """Say what the model is and what its numbers mean."""
        return card

    return router


def _error(entry: dict[str, Any]) -> FacelocusError:
    """Return what a worker or the queue says is wrong with a picture."""
    known: tuple[type[FacelocusError], ...] = (TooSlowError, ModelFileError, WorkerError)
    kinds = {kind.__name__: kind for kind in known}
    kind = kinds.get(entry["error"]["type"], ImageError)
    return kind(entry["error"]["message"])


async def _while_there(request: Request, asked: Awaitable[_T]) -> _T:
    """Return what was asked for, as long as its client waits for it.

    Raises:
        GoneError: it does not any more; what was asked is cancelled.
        Whatever `asked` raises.
    """

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    work, left = asyncio.ensure_future(asked), asyncio.ensure_future(gone())
    try:
        await asyncio.wait({work, left}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise GoneError("the client has gone")
        return work.result()
    finally:
        for each in (work, left):
            each.cancel()


async def _read(file: UploadFile, limits: Limits) -> Picture:
    """Return an uploaded picture.

    Raises:
        TooLargeError: it has more bytes than the server reads.
    """
    name = source_name(file.filename or "the picture")
    if (file.size or 0) > limits.file_bytes:
        raise TooLargeError(f"{name} has more than {limits.file_bytes / MEGABYTE:g} MB: make it smaller")
    return Picture(name, await file.read())
