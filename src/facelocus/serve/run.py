"""The application, served until it is told to end."""

from __future__ import annotations

import logging
import signal
import socket
import sys

import uvicorn
from fastapi import FastAPI

from facelocus.errors import FacelocusError

#: Seconds that accepted requests have to be finished after the server was told to end: a full queue at two a second.
_GRACE = 150


def run(app: FastAPI, listening: socket.socket) -> None:
    """Serve on a socket until SIGTERM or Ctrl-C; what was accepted by then is answered.

    Raises:
        FacelocusError: the workers do not start.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log = logging.getLogger("facelocus.serve")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE, lifespan="on"
    )
    server = uvicorn.Server(config)
    # When it has ended uvicorn raises the signal again, which would make a clean end look like a death.
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, signal.SIG_IGN)
    server.run(sockets=[listening])
    if not server.started:
        raise FacelocusError("the server did not start: the lines above say why")
