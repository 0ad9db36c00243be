"""Which photographs are named, in which order, and that each comes once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from facelocus.errors import ImageError, InputError
from facelocus.images.read import read_image
from facelocus.photos.listing import EXTENSIONS, Arguments, is_picture


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as cameras and people leave it, and the working folder."""
    for name in (
        "b.JPG",
        "a.jpeg",
        "a.facelocus.png",
        "A.Facelocus.PNG",
        "notes.txt",
        "no_ending",
        ".hidden.jpg",
        "2020/x.heic",
        "2020/deep/x.tif",
        "2019/x.webp",
        ".thumbnails/x.jpg",
        "folder.jpg/inside.png",
    ):
        (tmp_path / "p" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "p" / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "p"


WHOLE = ["a.jpeg", "b.JPG", "2019/x.webp", "2020/x.heic", "2020/deep/x.tif", "folder.jpg/inside.png"]


def found(*arguments: str, listed: bytes = b"") -> list[str]:
    return [path.as_posix() for path in Arguments(arguments, listed).photographs()]


def below(folder: str, *names: str) -> list[str]:
    return [f"{folder}/{name}" for name in names]


def test_a_folder_stands_for_its_pictures_by_name(folder: Path) -> None:
    assert found("p") == below("p", *WHOLE)
    assert found(str(folder)) == below(folder.as_posix(), *WHOLE)
    os.chdir(folder)
    assert found(".") == WHOLE


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_links_to_folders_are_not_followed_and_a_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "link.jpg").symlink_to(folder / "2020", target_is_directory=True)
    os.mkfifo(folder / "pipe.jpg")
    assert found("p") == below("p", *WHOLE)
    (folder / "to_file.jpg").symlink_to(folder / "b.JPG")
    (folder / "to_nothing.jpg").symlink_to(folder / "gone.jpg")
    (folder / "circle.jpg").symlink_to(folder / "circle.jpg")
    (folder / "through_file.jpg").symlink_to(folder / "notes.txt" / "x.jpg")
    leading_nowhere = {"p/to_nothing.jpg", "p/circle.jpg", "p/through_file.jpg"}
    assert set(found("p")) - set(below("p", *WHOLE)) == {"p/to_file.jpg"} | leading_nowhere


def test_a_file_that_is_named_is_taken_whatever_it_is_called(folder: Path) -> None:
    names = below("p", "notes.txt", ".hidden.jpg", "a.facelocus.png", "no_ending")
    assert found(*names) == names


@pytest.mark.parametrize(
    "arguments",
    [
        ("p", "p"),
        ("p", "p/b.JPG", "./p/a.jpeg"),
        ("p", "p/2020", "p/2020/deep/"),
        ("p", "p/2020/../b.JPG"),
        ("p", "link/b.JPG", "link"),
    ],
)
def test_what_is_named_twice_comes_once(folder: Path, arguments: tuple[str, ...]) -> None:
    Path("link").symlink_to("p", target_is_directory=True)
    assert found(*arguments) == below("p", *WHOLE)
    assert len(found(*reversed(arguments))) == len(WHOLE)
    assert len(found(*(str(Path(argument).absolute()) for argument in arguments))) == len(WHOLE)


def test_the_order_is_that_of_the_arguments(folder: Path) -> None:
    assert found("p/2020", "p/b.JPG", "p")[:4] == below("p", "2020/x.heic", "2020/deep/x.tif", "b.JPG", "a.jpeg")


def test_patterns_are_expanded_where_the_shell_did_not(folder: Path) -> None:
    assert found("p/*.j*") == ["p/a.jpeg", "p/folder.jpg/inside.png"]
    assert found("p/[ab].*") == ["p/a.jpeg", "p/b.JPG"]
    assert found("p/**/x.*") == below("p", "2019/x.webp", "2020/deep/x.tif", "2020/x.heic")
    assert found("p/[aA].*") == ["p/a.jpeg"], "a pattern does not name our drawings"


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path) -> None:
    (folder / "a[1].jpg").write_bytes(b"")
    (folder / "a1.jpg").write_bytes(b"")
    assert found("p/a[1].jpg") == ["p/a[1].jpg"]


def test_a_list_on_standard_input_is_a_path_a_line(folder: Path) -> None:
    assert found("-", listed=b"\xef\xbb\xbfp/b.JPG\r\n\np/a [1].jpg\np/2019\n") == [
        "p/b.JPG",
        "p/a [1].jpg",
        "p/2019/x.webp",
    ], "what is not there is told when it is read"


@pytest.mark.skipif(os.name == "nt", reason="names hold no line ends on Windows")
def test_a_list_may_have_a_nul_after_each_path(folder: Path) -> None:
    (folder / "two\nlines.jpg").write_bytes(b"")
    assert found("-", listed=b"p/two\nlines.jpg\0p/b.JPG\0p/2019\0") == [
        "p/two\nlines.jpg",
        "p/b.JPG",
        "p/2019/x.webp",
    ]


def test_a_listed_path_that_cannot_be_looked_at_ends_nothing(folder: Path) -> None:
    long = "x" * 300 + ".jpg"
    assert found("-", listed=f"p/{long}\np/b.JPG\n".encode()) == [f"p/{long}", "p/b.JPG"]
    with pytest.raises(ImageError, match=r"cannot be read \(File name too long\)"):
        read_image(Path("p") / long)


@pytest.mark.skipif(os.name == "nt", reason="names are text on Windows")
def test_names_that_are_not_text_come_through(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    assert found("-", listed=b"p/caf\xe9.jpg\n") == [f"p/{name}"]
    try:
        (folder / name).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes no such names")
    assert f"p/{name}" in found("p")


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("p/gone.jpg", "does not exist"),
        ("gone/*.jpg", "matches no file"),
        ("empty", "no picture in this folder or list"),
        ("-", "no picture in this folder or list"),
    ],
)
def test_what_names_nothing_is_refused_on_the_call(folder: Path, argument: str, words: str) -> None:
    Path("empty").mkdir()
    with pytest.raises(InputError, match=words) as refused:
        Arguments([argument]).photographs()
    assert argument in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused_before_the_others_are_looked_for(folder: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jpg"):
        Arguments(["p", "p/gone.jpg"]).photographs()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="may read everything")
def test_a_folder_that_cannot_be_read_is_told(folder: Path) -> None:
    (folder / "2020").chmod(0)
    try:
        with pytest.raises(InputError, match="2020 cannot be read"):
            found("p")
    finally:
        (folder / "2020").chmod(0o755)


def test_what_arguments_stand_for_depends_on_the_place_and_the_list(folder: Path) -> None:
    here = Arguments(["x", "-"], b"a\n").to_json()
    assert Arguments(["x", "-"], b"b\n").to_json() != here
    os.chdir(folder)
    assert Arguments(["x", "-"], b"a\n").to_json() != here


def test_what_is_a_picture_is_what_can_be_read(tmp_path: Path) -> None:
    kinds = Image.registered_extensions() | {".dib": "BMP"}
    cannot_be_written = {".heic", ".heif", ".hif"} | {name for name in EXTENSIONS if kinds.get(name) not in Image.SAVE}
    assert cannot_be_written <= {".heic", ".heif", ".hif", ".avif", ".jpx", ".mpo"}
    for ending in EXTENSIONS - cannot_be_written:
        Image.new("RGB", (8, 8)).save(tmp_path / f"x{ending}", kinds[ending])
        assert read_image(tmp_path / f"x{ending}").shape == (8, 8, 3)
    assert is_picture("x.JPeG")
    assert not is_picture("jpg")
