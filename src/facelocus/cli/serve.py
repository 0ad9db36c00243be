"""`facelocus serve`: photographs and a library over HTTP, with a page."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facelocus.errors import InputError, MissingExtraError, UsageError

if TYPE_CHECKING:
    import socket

#: Where a token may be given that is not to stand in a file.
TOKEN = "FACELOCUS_TOKEN"

_NEEDED = ("fastapi", "fastapi_offline", "uvicorn", "multipart", "prometheus_client")


def serve(
    library: Annotated[
        Path | None, typer.Argument(metavar="[LIBRARY]", help="What `facelocus index` made, to be searched.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen at; other machines reach 0.0.0.0, which needs a token.")
    ] = ("127.0.0.1"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8000,
    model: Annotated[str, typer.Option(help="A shipped name or an .onnx file.")] = "default",
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"Requests must carry what stands in it; or in the variable {TOKEN}."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that look at pictures; all cores unless given.")
    ] = None,
    max_mb: Annotated[float, typer.Option(min=0.1, max=1000, help="Largest picture, in millions of bytes.")] = 30.0,
    max_pixels: Annotated[int, typer.Option(min=1, help="Largest picture, in pixels.")] = 100_000_000,
    seconds: Annotated[float, typer.Option(min=1, help="Seconds that a picture may take.")] = 30.0,
    queue: Annotated[int, typer.Option(min=1, help="Pictures that may wait.")] = 256,
) -> None:
    """Serve a page and an interface for photographs, and for a library where one is named.

    Nothing that is sent is kept. Stopped by Ctrl-C or SIGTERM, the server finishes what it has accepted. The log, a
    line of JSON a request, is on stderr.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"serve needs {', '.join(missing)}: pip install 'facelocus[serve]'")
    token = _token(token_file)
    if token is None and not _is_loopback(host):
        raise UsageError(f"{host} is open to other machines: give a token, --token-file FILE or the variable {TOKEN}")
    from dataclasses import replace

    from facelocus.model import Model
    from facelocus.processes import cores
    from facelocus.serve.app import Served, make_app
    from facelocus.serve.run import run
    from facelocus.serve.settings import MEGABYTE, Limits

    limits = replace(Limits(), file_bytes=int(max_mb * MEGABYTE), pixels=max_pixels, seconds=seconds, queue=queue)
    limits = replace(limits, files=min(limits.files, queue))
    limits = replace(limits, request_bytes=max(limits.request_bytes, limits.file_bytes + MEGABYTE))
    limits = replace(limits, held_bytes=max(limits.held_bytes, limits.request_bytes))
    app = make_app(Served(Model.load(model), library, token, workers or cores(), limits))
    listening = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"facelocus: http://{shown}:{listening.getsockname()[1]}/  (Ctrl-C ends)")
    run(app, listening)


def _token(file: Path | None) -> str | None:
    """Return the token that requests must carry; None for none.

    Raises:
        InputError: the file cannot be read or is empty, or no header can carry what stands there.
    """
    if file is None:
        token = os.environ.get(TOKEN, "").strip()
    else:
        try:
            token = file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: cannot be read ({error}): write the token into it") from error
        if not token:
            raise InputError(f"{file} is empty: write the token into it")
    if not (token.isascii() and token.isprintable()):
        raise InputError(f"{file or TOKEN}: a token is one line of ASCII letters, digits and signs: make another")
    return token or None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        InputError: the address cannot be had.
    """
    import socket

    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=512)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise InputError(f"{host}:{port} cannot be listened at ({reason}): choose another --port") from error
