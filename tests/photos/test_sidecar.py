"""Keywords beside photographs: valid XMP, ours is replaced, what others wrote is left alone, no picture is touched."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from facelocus.errors import StorageError
from facelocus.model import Model
from facelocus.photos.analyze import Face, analyze
from facelocus.photos.sidecar import keywords, sidecar_of, write_sidecar, xmp
from faces import draw_face
from small_model import SMALL

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
SUBJECT = "{http://purl.org/dc/elements/1.1/}subject"
HIERARCHICAL = "{http://ns.adobe.com/lightroom/1.0/}hierarchicalSubject"
TOOL = "{http://ns.adobe.com/xap/1.0/}CreatorTool"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    (tmp_path / "x.jpg").write_bytes(b"the picture")
    return tmp_path / "x.jpg"


def read(sidecar: Path) -> tuple[list[str | None], list[str | None]]:
    (description,) = ET.parse(sidecar).getroot().iter(f"{RDF}Description")
    flat, deep = (
        [item.text for item in description.iterfind(f"{name}/{RDF}Bag/{RDF}li")] for name in (SUBJECT, HIERARCHICAL)
    )
    return flat, deep


def test_keywords_are_flat_and_in_a_tree_of_our_own(photo: Path) -> None:
    assert write_sidecar(photo, ["Smiling", "Wavy Hair"], "1.2.3")
    target = photo.with_name("x.jpg.xmp")
    assert sidecar_of(photo) == target
    assert read(target) == (["Smiling", "Wavy Hair"], ["facelocus|Smiling", "facelocus|Wavy Hair"])
    (description,) = ET.parse(target).getroot().iter(f"{RDF}Description")
    assert description.get(TOOL) == "facelocus 1.2.3"
    assert photo.read_bytes() == b"the picture"
    assert sorted(path.name for path in photo.parent.iterdir()) == ["x.jpg", "x.jpg.xmp"]


def test_what_xml_means_is_escaped(photo: Path) -> None:
    words = ["<b>&amp;", 'a "quoted" one', "日本"]
    assert write_sidecar(photo, words, "1")
    assert read(sidecar_of(photo))[0] == words


def test_an_attribute_is_a_keyword_from_its_threshold_on_on_any_face(model: Model) -> None:
    (face,) = analyze(draw_face(0), model=model, aligned=True)
    limits = dict(zip(SMALL.names, model.thresholds["accuracy"].tolist(), strict=True))

    def with_values(*values: float) -> Face:
        return replace(face, attributes=dict(zip(SMALL.names, values, strict=True)))

    at = limits["Left_Red"]
    assert keywords([with_values(at, at - 0.01, 0, 0)], model) == ["Left Red"]
    assert keywords([with_values(0, 0, 0, 1), with_values(1, 0, 0, 0)], model) == ["Left Red", "Right Dark"]
    assert keywords([], model) == []


def test_our_own_of_before_is_replaced_whatever_version_wrote_it(photo: Path) -> None:
    write_sidecar(photo, ["Smiling"], "0.9")
    assert write_sidecar(photo, ["Bald"], "1.0")
    assert read(sidecar_of(photo))[0] == ["Bald"]
    assert write_sidecar(photo, [], "1.0")
    assert read(sidecar_of(photo))[0] == [], "a keyword that no longer holds does not stay"


def test_without_keywords_no_file_is_made(photo: Path) -> None:
    assert write_sidecar(photo, [], "1.0")
    assert not sidecar_of(photo).exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not XML",
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>",
        xmp(["Smiling"], "darktable 4"),
        xmp(["Smiling"], "facelocus 1").replace("</rdf:Description>", "<xmp:Rating>5</xmp:Rating></rdf:Description>"),
        xmp(["Smiling"], "facelocus 1").replace("<rdf:li>Smiling", "<rdf:li>Holiday</rdf:li><rdf:li>Smiling"),
    ],
)
def test_what_others_wrote_or_changed_is_left_alone(photo: Path, text: str) -> None:
    sidecar_of(photo).write_text(text, encoding="utf-8")
    assert not write_sidecar(photo, ["Bald"], "1")
    assert sidecar_of(photo).read_text(encoding="utf-8") == text


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(photo: Path) -> None:
    photo.parent.chmod(0o500)
    try:
        with pytest.raises(StorageError, match=r"x\.jpg\.xmp"):
            write_sidecar(photo, ["Bald"], "1")
    finally:
        photo.parent.chmod(0o700)


@pytest.mark.parametrize("length", [242, 251])
def test_a_name_as_long_as_names_can_be_has_its_sidecar(tmp_path: Path, length: int) -> None:
    photo = tmp_path / ("x" * (length - 4) + ".jpg")
    assert write_sidecar(photo, ["Smiling"], "1")
    assert [path.name for path in tmp_path.iterdir()] == [f"{photo.name}.xmp"]


def test_a_name_too_long_for_a_sidecar_is_one_that_is_left_out(tmp_path: Path) -> None:
    photo = tmp_path / ("x" * 248 + ".jpg")
    assert not write_sidecar(photo, ["Smiling"], "1")
    assert write_sidecar(photo, [], "1"), "it would have none"
    assert not list(tmp_path.iterdir())
