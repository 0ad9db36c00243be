"""Pictures that are sent: the same answers as `analyze`, and what is refused."""

from __future__ import annotations

import http.client
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from PIL import Image

from facelocus import analyze
from facelocus.images.align import frame_to_photo
from faces import draw_face
from servers import PATIENCE, Server


def png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


def photograph(seed: int) -> bytes:
    """A drawn face in a larger picture, as a detector finds it."""
    canvas = Image.new("RGB", (360, 420), (120, 130, 140))
    canvas.paste(Image.fromarray(draw_face(seed)), (90, 100))
    return png(np.asarray(canvas))


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as opened:
        yield opened


def send(client: httpx.Client, *pictures: tuple[str, bytes], **asked: object) -> httpx.Response:
    files = [("files", (name, content, "application/octet-stream")) for name, content in pictures]
    return client.post("/analyze", files=files, params={name: str(value) for name, value in asked.items()})


def counts(client: httpx.Client) -> dict[str, float]:
    """Return the numbers of /metrics, by name and labels."""
    lines = (line for line in client.get("/metrics").text.splitlines() if not line.startswith("#"))
    return {name: float(number) for name, number in (line.rsplit(" ", 1) for line in lines)}


def test_answers_are_those_of_analyze(client: httpx.Client) -> None:
    contents = [photograph(seed) for seed in range(10, 16)]
    answer = send(client, *((f"{k}.png", content) for k, content in enumerate(contents)), masks=True).json()
    assert [picture["name"] for picture in answer["pictures"]] == [f"{k}.png" for k in range(6)]
    found = 0
    for picture, content in zip(answer["pictures"], contents, strict=True):
        faces = analyze(content)
        assert picture["error"] is None and len(picture["faces"]) == len(faces)
        for told, face in zip(picture["faces"], faces, strict=True):
            found += 1
            for name, value in face.attributes.items():
                assert told["attributes"][name] == pytest.approx(value, abs=1e-4)
            assert told["box"] == pytest.approx(face.box, abs=0.1)
            assert face.landmarks is not None and face.masks is not None
            assert told["frame"] == pytest.approx(frame_to_photo(face.landmarks), abs=0.01)
            assert (told["masks"]["rows"], told["masks"]["columns"]) == face.masks.shape[1:]
            assert np.allclose(told["masks"]["values"], face.masks, atol=2e-3)
    assert found >= 4


def test_masks_come_only_when_asked_for(client: httpx.Client) -> None:
    (picture,) = send(client, ("a.png", png(draw_face(1))), aligned=True).json()["pictures"]
    (face,) = picture["faces"]
    assert "masks" not in face and face["frame"] is None and face["score"] is None


def test_a_broken_picture_carries_its_error_and_the_others_their_faces(client: httpx.Client) -> None:
    answer = send(client, ("good.png", photograph(10)), ("bad.png", b"no picture"), ("good.png", photograph(10)))
    assert answer.status_code == 200
    good, bad, again = answer.json()["pictures"]
    assert good == again and good["error"] is None
    assert bad["error"]["type"] == "ImageError" and bad["error"]["message"].startswith("bad.png is not a picture")


def test_where_none_can_be_read_the_request_is_refused(client: httpx.Client) -> None:
    answer = send(client, ("bad.png", b"no picture"))
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["type"] == "ImageError" and error["request"] == answer.headers["X-Request-ID"]


def test_a_name_cannot_break_a_line(client: httpx.Client) -> None:
    message = send(client, ("a\nb\x1b[31m.png", b"no")).json()["error"]["message"]
    assert message.isprintable()


def test_large_files_and_large_pictures_are_refused(client: httpx.Client) -> None:
    answer = send(client, ("large.png", bytes(1_000_001)))
    assert answer.status_code == 413 and "large.png has more than 1 MB" in answer.json()["error"]["message"]
    answer = send(client, ("wide.png", png(np.zeros((1000, 2001), np.uint8))))
    assert answer.status_code == 422 and "2001 x 1000" in answer.json()["error"]["message"]


def test_too_many_files_are_refused(client: httpx.Client) -> None:
    answer = send(client, *[("a.png", b"no")] * 33)
    assert answer.status_code == 413 and "at most 32" in answer.json()["error"]["message"]


def test_a_body_without_an_end_is_cut_off_where_the_limit_is(client: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        for _ in range(3000):
            sent += 100_000
            yield bytes(100_000)

    try:
        answer = client.post("/analyze", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"})
        assert answer.status_code == 413 and "120 MB" in answer.json()["error"]["message"]
    except httpx.WriteError:  # the server has answered and closed
        pass
    assert sent < 200_000_000
    assert client.get("/healthz").json()["status"] == "ok"


def test_a_length_that_is_too_much_is_refused_before_it_is_sent(server: Server) -> None:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE)
    connection.putrequest("POST", "/analyze")
    connection.putheader("Content-Length", "999999999999")
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("DELETE", "/model", 405), ("POST", "/analyze", 422), ("GET", "/page/../app.py", 404)],
)
def test_every_refusal_has_one_shape(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"type", "message", "request"}


def test_what_can_be_had_can_be_asked_for_without_its_body(client: httpx.Client, server: Server) -> None:
    for path in ("/", "/healthz", "/model", "/thumbnails/1"):
        whole, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == whole.headers["Content-Length"]
    assert client.head("/analyze").status_code == 405
    assert '"method": "HEAD"' in server.log.read_text()


def test_the_model_says_what_it_is(client: httpx.Client) -> None:
    card = client.get("/model").json()
    assert len(card["attributes"]) == 40 == len(card["thresholds"]["accuracy"])
    assert set(card["region_of"].values()) == set(card["regions"]) and card["library"] is True
    assert card["mask"] == [12, 10] or len(card["mask"]) == 2


def test_an_id_that_a_client_gives_is_kept_if_it_is_sane(client: httpx.Client, server: Server) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    assert client.get("/healthz", headers={"X-Request-ID": "a b{}"}).headers["X-Request-ID"] != "a b{}"
    assert '"request": "mine-1"' in server.log.read_text()


def test_the_log_does_not_say_what_was_sent(client: httpx.Client, server: Server) -> None:
    send(client, ("secret-name.png", photograph(10)))
    client.get("/search", params={"q": "very bald"}, headers={"X-Request-ID": "mine-2"})
    client.get("/healthz")  # a line is written after its answer is sent, but before the next is
    log = server.log.read_text()
    assert "secret-name" not in log and "bald" not in log
    assert [line for line in log.splitlines() if '"mine-2"' in line and '"route": "/search"' in line]


def test_metrics_count_by_template(client: httpx.Client) -> None:
    before = counts(client)  # of tests before this one
    (picture,) = send(client, ("a.png", photograph(10))).json()["pictures"]
    client.get("/thumbnails/1")
    after = counts(client)
    for name, more in [
        ('facelocus_requests_total{route="/thumbnails/{picture}",status="200"}', 1),
        ('facelocus_pictures_total{result="described"}', 1),
        ("facelocus_faces_total", len(picture["faces"])),
    ]:
        assert after[name] - before.get(name, 0) == more > 0
    assert after["facelocus_waiting_pictures"] == 0


def test_the_page_may_talk_to_nobody_else(client: httpx.Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200 and "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in client.get("/model", headers={"Origin": "http://a.example"}).headers


def test_under_another_name_nothing_is_answered_without_a_token(client: httpx.Client) -> None:
    for host, status in [("faces.example", 401), ("127.0.0.1.example", 401), ("localhost:8000", 200), ("[::1]", 200)]:
        assert client.get("/model", headers={"Host": host}).status_code == status, host


def test_pages_of_other_sites_may_not_ask_but_lead_to_the_page(client: httpx.Client, server: Server) -> None:
    port = urlsplit(server.url).port
    navigates = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for path, headers, status in [
        ("/search?q=young", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 401),
        ("/search?q=young", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 401),
        ("/search?q=young", navigates, 401),  # also in a frame that nobody sees
        ("/search?q=young", {"Origin": "http://a.example"}, 401),
        ("/search?q=young", {"Origin": "null"}, 401),
        ("/search?q=young", {"Origin": f"http://127.0.0.1:{port}"}, 200),
        ("/search?q=young", {"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200),
        ("/search?q=young", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, 200),
        ("/?q=young", navigates, 200),
    ]:
        answer = client.get(path, headers=headers)
        assert answer.status_code == status, (path, headers)
        if status == 401:
            assert "another site" in answer.json()["error"]["message"]
    content = [("files", ("a.png", png(draw_face(1)), "image/png"))]
    for wrong in ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, {"Origin": "http://localhost:1"}):
        assert client.post("/analyze", files=content, headers=wrong).status_code == 401


def test_the_documentation_needs_no_other_host(client: httpx.Client) -> None:
    page = client.get("/docs").text
    assert "https://" not in page
    assert client.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200


def test_the_schema_names_every_path(client: httpx.Client, library: Path) -> None:
    paths = set(client.get("/openapi.json").json()["paths"])
    assert {"/analyze", "/search", "/faces/{face}", "/thumbnails/{picture}", "/model", "/healthz", "/metrics"} <= paths
