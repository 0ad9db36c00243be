"""The benchmarks of a server: what goes wrong is counted, and their short forms run."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

pytest.importorskip("matplotlib", reason="its sample portrait is sent")

import kills
import load
from clients import Asked, crowd
from documents.serve import load as said

#: How requests are answered that are asked; "bad" is sent instead, now and then.
WAYS = ["good", "wrong", "garbled", "failed", "lost", "sent"]


class Faulty(BaseHTTPRequestHandler):
    """Answers every path in its own way."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[Counter[str]] = Counter()
    lock: ClassVar[threading.Lock] = threading.Lock()
    all_asked: ClassVar[threading.Event]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        way = self.path.strip("/")
        with self.lock:
            self.asked[way] += 1
            if len(self.asked) == len(WAYS) + 1:
                self.all_asked.set()
        if way == "lost":
            self.close_connection = True
            return
        status, headers = {"sent": (503, {"Retry-After": "0.01"}), "failed": (500, {})}.get(way, (200, {}))
        answer = b"no JSON" if way == "garbled" else json.dumps({"bytes": len(body) + (way == "wrong")}).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Faulty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def sent(way: str) -> Asked:
    content = way.encode() * 50
    request = httpx.Request("POST", f"http://server/{way}", content=content)
    return Asked(way, request, 200, lambda answer: answer["bytes"] == len(content))


def test_whatever_is_not_the_right_answer_is_counted_as_what_it_is(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Faulty, "asked", Counter())
    monkeypatch.setattr(Faulty, "all_asked", stop := threading.Event(), raising=False)
    record = crowd(lambda: address, [sent(way) for way in WAYS], [sent("bad")], clients=8, broken=0.3, stop=stop)
    ends = {way: set(counts) for way, counts in record.counts.items()}
    wrong, right = {"wrong"}, {"right"}
    assert ends == {
        "good": right,
        "bad": right,
        "wrong": wrong,
        "garbled": wrong,
        "failed": wrong,
        "lost": {"lost"},
        "sent": {"sent away"},
    }
    assert all(record.counts[way].total() <= Faulty.asked[way] for way in ends)
    assert len(record.seconds["good"]) == record.counts["good"]["right"]


def test_nobody_else_is_put_under_load() -> None:
    with pytest.raises(ValueError, match="this machine"):
        crowd(lambda: "http://192.0.2.1:8000", [sent("good")], [], clients=1, broken=0.0, stop=threading.Event())


def ran(main: Any, to: Path, *arguments: object) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["script", *map(str, arguments), "--json", str(to)])
        main()
    found: dict[str, Any] = json.loads(to.read_text(encoding="utf-8"))
    return found


def test_under_load_nothing_is_lost_and_answers_are_those_of_the_batch_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "PICTURES", 12)
    monkeypatch.setattr(load, "CLIENTS", 12)
    # More broken files than in earnest, so that there are some among few.
    monkeypatch.setattr(load, "BROKEN", 0.3)
    record = ran(load.main, tmp_path / "load.json", "--seconds", 3)
    assert record["lost"] == 0 and set(record["answers"]) == {"picture", "bad"}
    assert all(set(ends) == {"right"} for ends in record["answers"].values())
    assert record["pictures_given_to_a_worker_at_once"] > 1
    assert min(record["memory_mb"]["server"] + record["memory_mb"]["workers"]) > 10
    assert "0 lost" in said(tmp_path / "load.json")


def test_an_answer_for_another_photograph_is_found_to_be_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"")
    row = {"path": "pictures/a.jpg", "face": 1, "Smiling": 0.5}
    (tmp_path / "faces.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (asked,) = load.photographs(folder, tmp_path / "faces.jsonl")

    def answer(name: str, *smiling: float) -> dict[str, Any]:
        return {"pictures": [{"name": name, "faces": [{"attributes": {"Smiling": value}} for value in smiling]}]}

    assert asked.fits(answer("a.jpg", 0.5))
    for other in (answer("b.jpg", 0.5), answer("a.jpg", 0.6), answer("a.jpg"), answer("a.jpg", 0.5, 0.5)):
        assert not asked.fits(other)


def test_servers_are_killed_and_the_library_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "BETWEEN", 2.0)
    record = ran(kills.main, tmp_path / "kills.json", "--kills", 1)
    picture, search = record["requests"]["picture"], record["requests"]["search"]
    assert picture["right"] > 0 and picture["lost"] + search["lost"] > 0
    assert picture["wrong"] == search["wrong"] == 0
    assert record["library"] == {"pictures before": kills.FACES, "as they were": kills.FACES, "indexed meanwhile": 2}
