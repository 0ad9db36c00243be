"""A server under load, killed, ended, and told not to answer just anybody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from faces import draw_face
from servers import PATIENCE, Server, serving
from test_pictures import counts, photograph, png, send


def refused(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "facelocus", "serve", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env=os.environ | {"FACELOCUS_TOKEN": ""}
    )


def test_a_token_is_asked_for_everything_but_the_page(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    with serving(tmp_path / "log", "--token-file", tmp_path / "token", "--workers", 1) as server:
        with server.client() as client:
            assert client.get("/").status_code == client.get("/healthz").status_code == 200
            assert client.get("/page/ui/main.js").status_code == 200
            for path in ("/model", "/metrics", "/page/models/model.onnx", "/page/models/model.json"):
                answer = client.get(path)
                assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
            for hidden in ("%09", "%0D", "%0A"):  # what a URL leaves out when it is read
                assert client.get(f"/page/mo{hidden}dels/model.onnx").status_code in (401, 404)
            assert send(client, ("a.png", photograph(10))).status_code == 401
            assert client.get("/search").status_code == 401  # not even that there is no library
        for wrong in ("Bearer s3cre", "Basic s3cret", "s3cret", "Bearer s3crets"):
            with server.client(Authorization=wrong) as client:
                assert client.get("/model").status_code == 401
        with server.client(Authorization="Bearer s3cret") as client:
            schema = client.get("/openapi.json").json()
            assert schema["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
            asked = {path for path, verbs in schema["paths"].items() for verb in verbs.values() if "security" in verb}
            assert asked == {"/analyze", "/model", "/metrics"}
            assert client.get("/model").json()["library"] is False
            assert client.get("/page/models/model.onnx").status_code == 200
            assert client.get("/search").status_code == 404


def test_other_machines_are_let_in_only_with_a_token() -> None:
    done = refused("--host", "0.0.0.0")
    assert done.returncode == 2 and "--token-file" in done.stderr and done.stderr.count("\n") == 1


def test_a_port_in_use_is_refused_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = refused("--port", taken.getsockname()[1])
    assert done.returncode == 1 and "choose another --port" in done.stderr and done.stderr.count("\n") == 1


def test_a_folder_that_is_no_library_is_refused(tmp_path: Path) -> None:
    done = refused(tmp_path, "--port", 0)
    assert done.returncode == 1 and "facelocus index" in done.stderr and done.stderr.count("\n") == 1


@contextmanager
def held_up(server: Server) -> Iterator[None]:
    """Its workers stand still meanwhile."""
    workers = server.workers()
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)


def test_many_clients_with_one_picture_each_are_described_together(server: Server) -> None:
    def one(seed: int) -> bool:
        with server.client() as client:
            return send(client, ("a.png", png(draw_face(seed))), aligned=True).status_code == 200

    with server.client() as client, ThreadPoolExecutor(24) as threads:
        before = counts(client)  # of tests before this one
        # Clients may be slower than workers.
        with held_up(server):
            answers = [threads.submit(one, seed) for seed in range(48)]
            while client.get("/healthz").json()["waiting"] < 2:
                time.sleep(0.02)
        assert all(answer.result() for answer in answers)
        after = counts(client)
    batches, pictures = (
        after[name] - before[name] for name in (f"facelocus_batch_pictures_{of}" for of in ("count", "sum"))
    )
    assert pictures == 48 > batches


def test_a_full_queue_sends_clients_away_and_answers_the_others(tmp_path: Path) -> None:
    with serving(tmp_path / "log", "--workers", 1, "--queue", 2) as server:

        def one(_: int) -> httpx.Response:
            with server.client() as client:
                return send(client, ("a.png", png(draw_face(1))), ("b.png", png(draw_face(2))), aligned=True)

        with ThreadPoolExecutor(12) as threads:
            with held_up(server):
                asked = [threads.submit(one, number) for number in range(24)]
                wait(asked, return_when=FIRST_COMPLETED)  # what comes now is a refusal
            answers = [each.result() for each in asked]
    statuses = {answer.status_code for answer in answers}
    assert 200 in statuses and statuses & {429, 503} and statuses <= {200, 429, 503}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code != 200)


def test_a_worker_that_is_killed_costs_no_answer(tmp_path: Path) -> None:
    killed: list[int] = []
    with serving(tmp_path / "log", "--workers", 2) as server:

        def one(seed: int) -> int:
            if seed in (8, 20, 32):  # the other clients wait for answers
                for worker in server.workers()[:1]:
                    os.kill(worker, signal.SIGKILL)
                    killed.append(worker)
            with server.client() as client:
                return send(client, ("a.png", photograph(10 + seed % 6))).status_code

        with ThreadPoolExecutor(8) as threads:
            statuses = list(threads.map(one, range(48)))
    assert killed
    # One whose process was killed twice, in a batch and alone, is refused; none is lost.
    assert set(statuses) <= {200, 503} and statuses.count(200) >= 44


def test_a_worker_that_is_killed_while_it_waits_is_replaced(tmp_path: Path) -> None:
    # The first new process takes longer to start than a picture may take, which must not be counted.
    slow, seconds = tmp_path / "slow", 5
    (tmp_path / "sitecustomize.py").write_text(
        "import pathlib, sys, time\n"
        f"if '--multiprocessing-fork' in sys.orig_argv and pathlib.Path({str(slow)!r}).exists():\n"
        f"    time.sleep({seconds})\n"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    arguments = ("--workers", 1, "--seconds", seconds)
    with serving(tmp_path / "log", *arguments, PYTHONPATH=path) as server, server.client() as client:
        slow.touch()
        for _ in range(2):
            (worker,) = server.workers()
            os.kill(worker, signal.SIGKILL)
            assert send(client, ("a.png", png(draw_face(1))), aligned=True).status_code == 200
            slow.unlink(missing_ok=True)


def test_a_picture_that_takes_too_long_costs_itself_alone(tmp_path: Path) -> None:
    # A worker that stands still takes longer than any limit; the next picture must not on a busy machine.
    with serving(tmp_path / "log", "--workers", 1, "--seconds", 5) as server, server.client() as client:
        (worker,) = server.workers()
        os.kill(worker, signal.SIGSTOP)
        answer = send(client, ("slow.png", png(draw_face(1))), aligned=True)
        assert answer.status_code == 503 and "slow.png took too long" in answer.json()["error"]["message"]
        assert "Retry-After" not in answer.headers, "it would take too long again"
        assert send(client, ("a.png", png(draw_face(1))), aligned=True).status_code == 200
        assert worker not in server.workers()


def test_pictures_of_a_client_that_has_gone_wait_no_more(tmp_path: Path) -> None:
    with serving(tmp_path / "log", "--workers", 1, "--seconds", PATIENCE) as server, server.client() as client:
        (worker,) = server.workers()
        os.kill(worker, signal.SIGSTOP)
        with pytest.raises(httpx.ReadTimeout), server.client() as hasty:
            files = [("files", ("a.png", png(draw_face(1)), "image/png"))] * 16
            hasty.post("/analyze", files=files, params={"aligned": "true"}, timeout=httpx.Timeout(PATIENCE, read=2))
        while client.get("/healthz").json()["waiting"]:
            assert worker in server.workers(), "they waited until the worker was given up"
            time.sleep(0.02)
        os.kill(worker, signal.SIGCONT)
        assert send(client, ("a.png", png(draw_face(1))), aligned=True).status_code == 200
    assert '"status": 499' in server.log.read_text()


def test_what_was_accepted_is_answered_before_the_server_ends(tmp_path: Path) -> None:
    with serving(tmp_path / "log", "--workers", 1) as server, ThreadPoolExecutor(1) as threads:

        def several() -> httpx.Response:
            with server.client() as client:
                return send(client, *[("a.png", photograph(10))] * 16)

        answer = threads.submit(several)
        with server.client() as client:
            while (
                'route="/analyze"' not in client.get("/metrics").text and client.get("/healthz").json()["waiting"] == 0
            ):
                time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        assert answer.result().status_code == 200
        assert server.process.wait(PATIENCE) == 0


def test_a_client_that_goes_while_it_sends_is_counted_as_gone(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    before = server.log.read_text().count('"status": 499')
    with socket.create_connection((host, int(port))) as client:
        head = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000"
        client.sendall(f"POST /analyze HTTP/1.1\r\nHost: {host}:{port}\r\n{head}\r\n\r\n--x\r\n".encode())
    deadline = time.monotonic() + PATIENCE
    while server.log.read_text().count('"status": 499') == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_the_page_is_made_of_is_sent_again_only_where_it_changed(server: Server) -> None:
    with server.client() as client:
        for path in ("/", "/page/ui/main.js", "/page/models/onet.onnx", "/page/models/constants.json"):
            first = client.get(path)
            assert first.status_code == 200 and first.content
            again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["ETag"] == first.headers["ETag"]


def test_killed_under_load_the_library_is_whole(library: Path, tmp_path: Path) -> None:
    answered = threading.Event()
    with serving(tmp_path / "log", library, "--workers", 1) as server:

        def until_it_is_gone(_: int) -> set[int]:
            statuses = set()
            with server.client() as client, suppress(httpx.HTTPError):
                while True:
                    statuses.add(client.get("/search", params={"q": "young"}).status_code)
                    answered.set()
            return statuses

        with ThreadPoolExecutor(8) as threads:
            clients = [threads.submit(until_it_is_gone, number) for number in range(8)]
            assert answered.wait(PATIENCE)
            workers = server.workers()
            server.process.kill()
            assert set().union(*(client.result() for client in clients)) == {200}
    deadline = time.monotonic() + PATIENCE
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    with serving(tmp_path / "log", library, "--workers", 1) as server, server.client() as client:
        assert client.get("/summary").json()["pictures"] == 12


@pytest.mark.skipif(not Path(sys.executable).with_name("schemathesis").exists(), reason="needs schemathesis")
def test_no_answer_breaks_its_own_schema(server: Server, tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{server.url}/openapi.json", "--max-examples", "10", "--no-color", "--seed", "1"),
        # What a query may say and what is a picture, a schema cannot tell.
        *("--exclude-checks", "positive_data_acceptance"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5 * PATIENCE, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:]
