"""What is the server's own failure: answered by 500, its reason and its paths in the log alone."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from starlette import formparsers
from starlette.testclient import TestClient

from facelocus.model import Model
from facelocus.serve.app import Served, make_app
from faces import draw_face
from servers import serving
from test_pictures import png, send


class Full(SpooledTemporaryFile[bytes]):
    """A file on a disk that is full."""

    def write(self, content: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_an_upload_that_finds_the_disk_full_is_no_fault_of_the_client(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", Full)
    client = TestClient(make_app(Served(Model.load())), base_url="http://localhost")
    answer = client.post("/analyze", files=[("files", ("a.png", b"no picture"))])
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (500, "StorageError") and "its log" in error["message"]
    (line,) = (record.getMessage() for record in caplog.records if record.levelname == "ERROR")
    assert "No space left on device" in line and error["request"] in line


def test_a_model_file_that_was_changed_is_no_fault_of_the_client_nor_told_by_its_path(tmp_path: Path) -> None:
    own = tmp_path / "own.onnx"
    shutil.copy(Model.load("tiny").path, own)
    with serving(tmp_path / "log", "--workers", 1, "--model", own) as server, server.client() as client:
        own.write_bytes(Model.load("default").path.read_bytes())
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
        answer = send(client, ("a.png", png(draw_face(1))), aligned=True)
        error = answer.json()["error"]
        assert (answer.status_code, error["type"]) == (500, "ModelFileError")
        assert "own.onnx" not in answer.text
        (line,) = (line for line in server.log.read_text().splitlines() if "own.onnx" in line)
        assert error["request"] in line and "has changed since the server started" in line
