"""What is asked of every photograph of a folder, and what became of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from facelocus import __version__
from facelocus.attributes import AttributeSet
from facelocus.model import Model
from facelocus.photos.listing import Arguments
from facelocus.photos.rows import Origin, columns
from facelocus.provenance import versions

# How many errors a summary names.
_NAMED = 5


@dataclass(frozen=True)
class Options:
    """What is asked of every photograph, whatever the model.

    Attributes:
        aligned: pictures are face crops.
        flip: average each face with its mirror image.
        min_quality: leave out the faces whose quality.trust is below this.
        sidecars: write an XMP file beside each photograph.
        drawings: the folder for annotated pictures; None for none.
    """

    aligned: bool = False
    flip: bool = False
    min_quality: float = 0.0
    sidecars: bool = False
    drawings: Path | None = None


@dataclass(frozen=True)
class Request:
    """What a table of faces is made with.

    Attributes:
        file: the model file.
        model: what is the same in every row.
        attributes: of the model.
        options: see Options.
    """

    file: Path
    model: Origin
    attributes: AttributeSet
    options: Options

    @classmethod
    def of(cls, model: Model, options: Options) -> Request:
        """Return a request for this model."""
        return cls(model.path, Origin(model.name, model.sha256, __version__), model.attributes, options)

    def about(self, arguments: Arguments) -> dict[str, Any]:
        """Return what a run that goes on must have in common with the one that was stopped: all that rows depend on."""
        drawings = self.options.drawings
        return {
            "versions": versions("numpy", "pillow", "onnxruntime"),
            "model": asdict(self.model),
            "options": asdict(self.options) | {"drawings": None if drawings is None else str(drawings.resolve())},
            "columns": list(columns(self.attributes)),
            "arguments": arguments.to_json(),
        }


@dataclass
class Summary:
    """What became of the photographs.

    Attributes:
        photographs: how many there are.
        faces: found in them.
        faceless: photographs that can be read and show no face.
        failed: photographs that cannot be read.
        reasons: what is wrong with the first few.
        undrawn: photographs that were analyzed and could not be drawn.
        undrawn_reasons: what is wrong with the first few of those.
        sidecars_left: XMP files that were there and are not ours, or would have too long a name.
    """

    photographs: int = 0
    faces: int = 0
    faceless: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)
    undrawn: int = 0
    undrawn_reasons: list[str] = field(default_factory=list)
    sidecars_left: int = 0

    def add(self, record: dict[str, Any]) -> None:
        """Count one photograph, by its line in the journal."""
        self.photographs += 1
        self.faces += len(record["faces"])
        self.faceless += not record["faces"] and not record["error"]
        self.failed += record["error"] is not None
        self.undrawn += record["undrawn"] is not None
        self.sidecars_left += record["sidecar_left"]
        if record["error"] and len(self.reasons) < _NAMED:
            self.reasons.append(record["error"][1])
        if record["undrawn"] and len(self.undrawn_reasons) < _NAMED:
            self.undrawn_reasons.append(record["undrawn"])

    def include(self, other: Summary) -> None:
        """Count the photographs of another summary too."""
        self.photographs += other.photographs
        self.faces += other.faces
        self.faceless += other.faceless
        self.failed += other.failed
        self.reasons = (self.reasons + other.reasons)[:_NAMED]
        self.undrawn += other.undrawn
        self.undrawn_reasons = (self.undrawn_reasons + other.undrawn_reasons)[:_NAMED]
        self.sidecars_left += other.sidecars_left
