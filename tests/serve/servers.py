"""Servers as a user starts them: a process of its own, on a port that is free."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

#: Seconds that a server may take to start or to end on a busy machine.
PATIENCE = 120


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        url: where, without a slash at its end.
        process: it.
        log: the file that its stderr goes to.
    """

    url: str
    process: subprocess.Popen[str]
    log: Path

    def workers(self) -> list[int]:
        """Return the ids of its processes that look at pictures."""
        found = []
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                parent = f"PPid:\t{self.process.pid}\n" in status.read_text()
                command = (status.parent / "cmdline").read_bytes()
            except OSError:
                continue
            if parent and b"spawn_main" in command:
                found.append(int(status.parent.name))
        return found

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)


@contextmanager
def serving(log: Path, *arguments: object, **environment: str) -> Iterator[Server]:
    """Yield `facelocus serve ARGUMENTS`, ended at the end whatever happens."""
    command = [sys.executable, "-m", "facelocus", "serve", *map(str, arguments), "--port", "0"]
    kept = os.environ | {"PYTHONUNBUFFERED": "1"} | environment
    with (
        log.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=kept) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "http://" in line, log.read_text()
            server = Server(line.split()[1].rstrip("/"), process, log)
            with httpx.Client(timeout=PATIENCE) as client:
                client.get(f"{server.url}/healthz").raise_for_status()
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
