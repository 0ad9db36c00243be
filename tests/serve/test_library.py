"""A library that is served: what a search finds, and that the library may change meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from shutil import copytree, rmtree

import httpx
import pytest

from facelocus.library.reader import Library
from facelocus.model import Model
from facelocus.search.find import find
from facelocus.search.parse import parse
from libraries import draw, index
from servers import Server, serving


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as opened:
        yield opened


def test_a_search_finds_what_the_library_finds(client: httpx.Client, library: Path) -> None:
    answer = client.get("/search", params={"q": "young, no beard"}).json()
    with closing(Library(library)) as opened:
        wanted = find(opened, parse("young, no beard", opened.about.attributes), 60)
    assert [one["name"] for one in answer["results"]] == [one.path.name for one in wanted]
    assert [one["score"] for one in answer["results"]] == pytest.approx([one.score for one in wanted], abs=1e-6)
    assert answer["understood"] == "at least 1 face: young, no beard" and answer["more"] is False


def test_pages_are_parts_of_the_whole(client: httpx.Client) -> None:
    def page(**asked: int) -> dict[str, object]:
        found: dict[str, object] = client.get("/search", params={"q": "by smiling", **asked}).json()
        return found

    whole = page(limit=12)["results"]
    assert isinstance(whole, list) and len(whole) == 12
    parts = [page(limit=5, offset=offset) for offset in (0, 5, 10)]
    assert [one for part in parts for one in part["results"]] == whole  # type: ignore[attr-defined]
    assert [part["more"] for part in parts] == [True, True, False]


def test_more_like_one(client: httpx.Client) -> None:
    results = client.get("/search", params={"like": 3}).json()["results"]
    parts = [
        client.get("/search", params={"like": 3, "limit": 4, "offset": offset}).json() for offset in range(0, 12, 4)
    ]
    assert [one for part in parts for one in part["results"]] == results
    assert [part["more"] for part in parts] == [True, True, False]
    assert len(results) == 11 and 3 not in [one["picture"] for one in results]
    assert client.get("/search", params={"like": 999}).status_code == 404


def test_a_word_that_is_not_known_is_refused_with_the_nearest(client: httpx.Client) -> None:
    for path in ("/search", "/understood"):
        answer = client.get(path, params={"q": "smilin"})
        assert answer.status_code == 422 and "'smiling'" in answer.json()["error"]["message"]


def test_each_part_of_a_query_can_be_left_out(client: httpx.Client) -> None:
    told = client.get("/understood", params={"q": "two people, one with a hat, youngest first"}).json()
    texts = [part["text"] for part in told["terms"]]
    assert texts == ["exactly 2 faces", "wearing hat", "by young"]
    for part in told["terms"]:
        left = client.get("/understood", params={"q": part["without"]}).json()
        assert [one["text"] for one in left["terms"]] == [text for text in texts if text != part["text"]]


def test_the_last_part_leaves_nothing(client: httpx.Client) -> None:
    (part,) = client.get("/understood", params={"q": "bald"}).json()["terms"]
    assert part == {"text": "bald", "without": ""}


def test_words_are_understood_as_what_they_stand_for(client: httpx.Client) -> None:
    for attribute in client.get("/words").json()["attributes"]:
        assert attribute["words"], attribute["name"]
        query = client.get("/understood", params={"q": attribute["words"][0]}).json()
        assert query["understood"].removeprefix("at least 1 face: ") == attribute["name"].replace("_", " ").lower()


def test_pictures_faces_and_thumbnails_by_id(client: httpx.Client) -> None:
    picture = client.get("/pictures/2").json()
    (face,) = picture["faces"]
    assert client.get(f"/faces/{face['id']}").json() == face and len(face["attributes"]) == 40
    thumbnail = client.get(f"/{picture['thumbnail']}")
    assert thumbnail.headers["Content-Type"] == "image/jpeg" and thumbnail.content[:2] == b"\xff\xd8"
    again = client.get(f"/{picture['thumbnail']}", headers={"If-None-Match": thumbnail.headers["ETag"]})
    assert again.status_code == 304 and again.content == b""
    assert "max-age" not in thumbnail.headers["Cache-Control"], "ids are given anew where a library changes"
    for kind in ("pictures", "faces", "thumbnails"):
        assert client.get(f"/{kind}/999").status_code == 404
        assert client.get(f"/{kind}/etc").status_code == 422


def test_shares_are_of_all_attributes(client: httpx.Client) -> None:
    summary = client.get("/summary").json()
    assert (summary["pictures"], summary["faces"], len(summary["attributes"])) == (12, 12, 40)
    assert all(0 <= row["low"] <= row["share"] <= row["high"] <= 1 for row in summary["attributes"])


def test_what_is_indexed_while_it_is_served_is_found(tmp_path: Path) -> None:
    draw(tmp_path / "pictures" / "0.png", 0)
    index(tmp_path / "pictures", tmp_path / "library", Model.load())
    with serving(tmp_path / "log", tmp_path / "library", "--workers", 1) as server, server.client() as client:
        assert client.get("/summary").json()["pictures"] == 1
        draw(tmp_path / "pictures" / "1.png", 1)
        index(tmp_path / "pictures", tmp_path / "library", Model.load())
        assert client.get("/summary").json()["pictures"] == 2
        assert len(client.get("/search", params={"q": "by young"}).json()["results"]) == 2


def test_a_damaged_library_is_the_servers_failure_and_its_path_is_told_in_the_log_alone(
    library: Path, tmp_path: Path
) -> None:
    copytree(library, tmp_path / "library")
    with serving(tmp_path / "log", tmp_path / "library", "--workers", 1) as server, server.client() as client:
        rmtree(tmp_path / "library" / "scores")
        for path in ("/search?q=young", "/summary", "/pictures/1"):
            answer = client.get(path)
            assert answer.status_code == 500 and str(tmp_path) not in answer.text
            error = answer.json()["error"]
            told = [line for line in map(json.loads, server.log.read_text().splitlines()) if "reason" in line]
            assert told[-1]["request"] == error["request"]
            assert f"{tmp_path / 'library' / 'scores' / '1'} is missing" in told[-1]["reason"]
        assert client.get("/search?q=yung").status_code == 422
