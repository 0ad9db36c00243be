"""The page as files: the browser alone gives the answers of `analyze`, and asks nobody."""

from __future__ import annotations

import functools
import http.server
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from browsers import chromium, sync_api
from facelocus import analyze
from facelocus.cli import main
from orientations import stored
from servers import PATIENCE
from test_pictures import photograph, png

Described = Callable[..., dict[str, Any]]

#: Differences that make no other answer.
ALLOWED = 0.02


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The written page."""
    folder = tmp_path_factory.mktemp("page") / "site"
    with pytest.raises(SystemExit) as ended:
        main(["page", "--to", str(folder)])
    assert not ended.value.code
    return folder


@pytest.fixture(scope="module")
def page(site: Path) -> Iterator[sync_api.Page]:
    """It, opened from a plain file server; in the end nothing may have been asked of another host."""
    handler = functools.partial(Files, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, chromium() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        opened = browser.new_page()
        opened.set_default_timeout(1000 * PATIENCE)
        elsewhere: list[str] = []
        opened.on("request", lambda one: None if one.url.startswith((url, "blob:")) else elsewhere.append(one.url))
        opened.goto(url)
        opened.locator("#here:checked").wait_for()
        yield opened
        server.shutdown()
        assert not elsewhere


@pytest.fixture
def described(page: sync_api.Page, site: Path) -> Callable[..., dict[str, Any]]:
    """A function of a picture's bytes to what the page says of it."""

    def describe(content: bytes, name: str = "a.png") -> dict[str, Any]:
        (site / "picture").write_bytes(content)
        told: dict[str, Any] = page.evaluate(
            """async (name) => {
              const { analyze } = await import("./page/local/analyze.js");
              const answer = await fetch("picture", { cache: "no-store" });
              return analyze(new File([await answer.blob()], name));
            }""",
            name,
        )
        return told

    return describe


def agree(told: dict[str, Any], content: bytes) -> int:
    """Compare with `analyze`, boxes and landmarks to a tenth of a pixel; return the number of faces."""
    faces = analyze(content)
    assert told["error"] is None and len(told["faces"]) == len(faces)
    for other, face in zip(told["faces"], faces, strict=True):
        assert other["box"] == pytest.approx(face.box, abs=0.1)
        assert np.allclose(other["landmarks"], face.landmarks, atol=0.1)
        assert set(other["attributes"]) == set(face.attributes)
        assert max(abs(other["attributes"][name] - value) for name, value in face.attributes.items()) < ALLOWED
        assert np.abs(np.array(other["masks"]["values"]) - face.masks).max() < ALLOWED
        coarse = {"yaw": 10, "pitch": 10, "roll": 10, "noise": 10, "size": 5}
        for name, value in face.quality.to_json().items():
            assert other["quality"][name] == pytest.approx(value, abs=ALLOWED * coarse.get(name, 1)), name
    return len(faces)


def test_a_photograph_is_described_as_by_analyze(described: Described, portrait_file: Path) -> None:
    assert agree(described(portrait_file.read_bytes(), "portrait.jpg"), portrait_file.read_bytes()) == 1


def test_a_large_photograph_is(described: Described, portrait_file: Path, tmp_path: Path) -> None:
    with Image.open(portrait_file) as portrait:
        portrait.resize((2048, 2400), Image.Resampling.LANCZOS).save(tmp_path / "large.jpg", quality=92)
    content = (tmp_path / "large.jpg").read_bytes()
    # Both read it at half its size.
    assert agree(described(content, "large.jpg"), content) == 1


def test_a_tall_photograph_is(described: Described, portrait_file: Path, tmp_path: Path) -> None:
    with Image.open(portrait_file) as portrait:
        portrait.crop((150, 0, 340, 420)).save(tmp_path / "tall.jpg", quality=92)
    content = (tmp_path / "tall.jpg").read_bytes()
    assert agree(described(content, "tall.jpg"), content) == 1


def test_a_photograph_that_lies_on_its_side_is(described: Described, portrait_file: Path, tmp_path: Path) -> None:
    with Image.open(portrait_file) as portrait:
        exif = portrait.getexif()
        exif[0x0112] = 6
        portrait.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    content = (tmp_path / "turned.jpg").read_bytes()
    assert agree(described(content, "turned.jpg"), content) == 1


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_webp_that_lies_on_its_side_is(described: Described, orientation: int) -> None:
    stream = io.BytesIO()
    with Image.open(io.BytesIO(photograph(10))) as upright:
        picture, exif = stored(upright, orientation)
    exif[0x010E] = "what it shows"
    picture.save(stream, "WEBP", exif=exif, quality=95)
    assert agree(described(stream.getvalue(), "turned.webp"), stream.getvalue()) == 1


def test_a_webp_whose_exif_is_broken_is(described: Described) -> None:
    stream = io.BytesIO()
    with Image.open(io.BytesIO(photograph(10))) as upright:
        upright.save(stream, "WEBP", exif=b"MM\x00*\xff\xff\xff\xff")
    assert len(described(stream.getvalue(), "broken.webp")["faces"]) == 1


def test_a_webp_is_shown_as_it_is_described(page: sync_api.Page, tmp_path: Path) -> None:
    with Image.open(io.BytesIO(photograph(10))) as upright:
        picture, exif = stored(upright, 6)
    picture.save(tmp_path / "turned.webp", exif=exif)
    page.set_input_files("#files", str(tmp_path / "turned.webp"))
    shown = page.locator("#stage img[alt='turned.webp']")
    assert shown.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [360, 420]


def test_a_leaning_face_is(described: Described, portrait_file: Path, tmp_path: Path) -> None:
    with Image.open(portrait_file) as portrait:
        leaning = portrait.rotate(55, Image.Resampling.BICUBIC, expand=True, fillcolor="grey")
    leaning.resize((1900, 1900 * leaning.height // leaning.width)).save(tmp_path / "leaning.png")
    content = (tmp_path / "leaning.png").read_bytes()
    assert agree(described(content), content) == 1


def test_several_drawn_faces_are(described: Described) -> None:
    assert sum(agree(described(photograph(seed)), photograph(seed)) for seed in range(10, 14)) >= 3


def test_a_picture_without_a_face_has_none(described: Described) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 260, 3), dtype=np.uint8)
    assert described(png(noise)) == {"name": "a.png", "faces": [], "error": None}


def test_what_is_no_picture_is_refused_in_one_line(described: Described) -> None:
    told = described(b"no picture", "notes.txt")
    assert told["faces"] == [] and told["error"]["message"].startswith("notes.txt is not a picture")


def test_what_could_not_be_fetched_is_tried_again(page: sync_api.Page, site: Path) -> None:
    (site / "picture").write_bytes(photograph(10))
    assert page.context.browser is not None
    lost = page.context.browser.new_page()
    lost.set_default_timeout(1000 * PATIENCE)
    for place in ("worker.js", "onet.onnx"):
        lost.goto(page.url)
        lost.route(f"**/{place}", lambda route: route.abort(), times=1)
        answers = lost.evaluate(
            """async () => {
              const { analyze } = await import("./page/local/analyze.js");
              const file = new File([await (await fetch("picture", { cache: "no-store" })).blob()], "a.png");
              const refused = await analyze(file).catch((error) => error.message);
              return [refused, (await analyze(file)).faces.length];
            }"""
        )
        assert isinstance(answers[0], str) and answers[1] == 1
    lost.close()


def test_what_is_fetched_is_counted(page: sync_api.Page, site: Path, tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(photograph(10))
    assert page.context.browser is not None
    fresh = page.context.browser.new_page()
    fresh.set_default_timeout(1000 * PATIENCE)
    fresh.goto(page.url)
    fresh.locator("#here:checked").wait_for()
    fresh.evaluate(
        """() => {
          window.counted = [];
          const [bar, bytes] = ["fetched", "bytes"].map((id) => document.getElementById(id));
          new MutationObserver(() => counted.push([bar.value, bar.max, bytes.textContent, bar.checkVisibility()]))
            .observe(bytes, { childList: true });
        }"""
    )
    fresh.set_input_files("#files", str(tmp_path / "face.png"))
    fresh.locator("#stage button").wait_for()
    counted = fresh.evaluate("() => counted")
    wanted = [
        site / "page/vendor/onnxruntime-web/ort-wasm-simd-threaded.wasm.gz",
        *(site / "page/models").glob("*.onnx"),
    ]
    size = sum(file.stat().st_size for file in wanted)
    assert {total for _, total, _, _ in counted} == {size} and counted[-1][0] == size
    assert counted[0][3] and counted[0][2].endswith(f" of {size / 1e6:.1f} MB of the networks")
    assert fresh.locator("#loading").is_hidden()
    fresh.close()


def test_what_the_networks_stand_under_is_beside_them(site: Path) -> None:
    assert "Permission is hereby granted" in (site / "page/models/NOTICE").read_text()


def test_the_page_says_what_is_seen(page: sync_api.Page, tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(photograph(10))
    page.set_input_files("#files", str(tmp_path / "face.png"))
    # The page may still show the picture of a test before.
    sync_api.expect(page.locator("#stage img[alt='face.png']")).to_be_visible(timeout=1000 * PATIENCE)
    sync_api.expect(page.locator("#face .bars li")).to_have_count(40, timeout=1000 * PATIENCE)
    assert page.locator("#to-search").is_hidden()


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        ("resize(picture, 31, 17, 'hamming')", lambda image: image.resize((31, 17), Image.Resampling.HAMMING)),
        ("resize(picture, 150, 90, 'bicubic')", lambda image: image.resize((150, 90), Image.Resampling.BICUBIC)),
        (
            "resize(picture, 24, 24, 'hamming', [3.3, 2.25, 50.75, 49.5])",
            lambda image: image.resize((24, 24), Image.Resampling.HAMMING, box=(3.3, 2.25, 50.75, 49.5)),
        ),
        ("reduce(picture, 3, 2)", lambda image: image.reduce((3, 2))),
        (
            "shrink(picture, 30, 20, 'hamming')",
            lambda image: image.resize((30, 20), Image.Resampling.HAMMING, reducing_gap=1.0),
        ),
        # Lower first: its height falls by more than twice as many pixels as its width.
        ("resize(picture, 96, 60, 'bicubic')", lambda image: image.resize((96, 60), Image.Resampling.BICUBIC)),
        ("crop(picture, -5, -3, 40, 80)", lambda image: image.crop((-5, -3, 40, 80))),
        ("rotate(picture, 20, 'bicubic')", lambda image: image.rotate(20, Image.Resampling.BICUBIC)),
        (
            "rotate(picture, -40, 'bilinear', true)",
            lambda image: image.rotate(-40, Image.Resampling.BILINEAR, expand=True),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pixels_are_those_of_pillow(page: sync_api.Page, call: str, wanted: Any) -> None:
    image = np.random.default_rng(1).integers(0, 256, (73, 97, 3), dtype=np.uint8)
    made = page.evaluate(
        f"""async (data) => {{
          const {{ Picture, resize, reduce, shrink, crop, rotate }} = await import("./page/local/pixels.js");
          const picture = new Picture(97, 73, new Uint8Array(data));
          const made = {call};
          return [made.width, made.height, [...made.data]];
        }}""",
        image.ravel().tolist(),
    )
    expected = np.asarray(wanted(Image.fromarray(image)))
    assert made[:2] == [expected.shape[1], expected.shape[0]]
    apart = np.abs(np.array(made[2]).reshape(expected.shape) - expected.astype(int))
    assert not apart.any()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["page", "--to", str(tmp_path)])
    assert ended.value.code == 2 and "is there already" in capsys.readouterr().err
