"""Attributes as keywords in an XMP file beside a photograph, where photo managers look; the picture is not touched."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

from facelocus.files import is_too_long, write_atomically
from facelocus.model import Predictor
from facelocus.photos.analyze import Face

_SPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}
for _prefix, _uri in _SPACES.items():
    ET.register_namespace(_prefix, _uri)

_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = '\n<?xpacket end="w"?>\n'

#: Above all keywords in a photo manager's tree.
_PARENT = "facelocus"


def sidecar_of(photo: Path) -> Path:
    """Return NAME.EXT.xmp, as darktable and digiKam call it: x.jpg and x.png of one folder have their own."""
    return photo.with_name(f"{photo.name}.xmp")


def keywords(faces: Sequence[Face], model: Predictor) -> list[str]:
    """Return the attributes at or above their accuracy threshold on any of the faces, in the model's order."""
    limits: Mapping[str, float] = dict(zip(model.attributes.names, model.thresholds["accuracy"].tolist(), strict=True))
    present = [name for name, limit in limits.items() if any(face.attributes[name] >= limit for face in faces)]
    return [name.replace("_", " ") for name in present]


def write_sidecar(photo: Path, words: Sequence[str], version: str) -> bool:
    """Write the keywords beside a photograph; without any, only to replace those of before.

    Returns:
        False where it is left out: the sidecar there is not ours or has been changed since, or its name would be longer
        than names can be.

    Raises:
        StorageError: it cannot be written; the one of before is left.
    """
    target = sidecar_of(photo)
    if is_too_long(target):
        return not words
    there = target.exists()
    if there and not _is_ours(target):
        return False
    if words or there:
        write_atomically(target, xmp(words, f"{_PARENT} {version}"), repeated=True)
    return True


def xmp(words: Sequence[str], tool: str) -> str:
    """Return the file's text: `words` as flat and as hierarchical keywords, made by `tool`."""
    root = ET.Element(_tag("x:xmpmeta"))
    about = {_tag("rdf:about"): "", _tag("xmp:CreatorTool"): tool}
    description = ET.SubElement(ET.SubElement(root, _tag("rdf:RDF")), _tag("rdf:Description"), about)
    for name, above in (("dc:subject", ""), ("lr:hierarchicalSubject", f"{_PARENT}|")):
        bag = ET.SubElement(ET.SubElement(description, _tag(name)), _tag("rdf:Bag"))
        for word in words:
            ET.SubElement(bag, _tag("rdf:li")).text = above + word
    ET.indent(root)
    return _BEGIN + ET.tostring(root, encoding="unicode") + _END


def _is_ours(sidecar: Path) -> bool:
    """Whether it is, letter for letter, what we write for the keywords in it: nobody has put anything else there."""
    try:
        text = sidecar.read_text(encoding="utf-8")
        root = ET.fromstring(text)
        (description,) = root.iter(_tag("rdf:Description"))
        tool = description.get(_tag("xmp:CreatorTool"), "")
        words = [word.text or "" for word in description.iterfind(f"{_tag('dc:subject')}//{_tag('rdf:li')}")]
    except (OSError, ValueError, ET.ParseError):
        return False
    return tool.startswith(f"{_PARENT} ") and text == xmp(words, tool)


def _tag(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"
