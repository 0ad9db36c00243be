"""What the answers hold: the schemas that /openapi.json shows and that answers are checked against."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ErrorBody(BaseModel):
    """What is wrong, in one line with its mend."""

    type: str
    message: str
    request: str = Field(description="the request's id, as in the header X-Request-ID and in the log")


class Refusal(BaseModel):
    """The shape of every answer that is no result."""

    error: ErrorBody


class PictureError(BaseModel):
    """Why a picture has no result."""

    type: str
    message: str


class Masks(BaseModel):
    """Where the network looked, a mask a region, in the order of the model's regions."""

    rows: int
    columns: int
    values: list[list[list[float]]] = Field(description="regions x rows x columns in [0, 1], over the model's `seen`")


class AnalyzedFace(BaseModel):
    """One face: see `Face` in docs/photographs.md."""

    box: list[float] = Field(description="x0, y0, x1, y1 in pixels of the upright picture")
    score: float | None = Field(description="the detector's, in [0, 1]; null for an aligned picture")
    landmarks: list[list[float]] | None
    quality: dict[str, float | None]
    attributes: dict[str, float] = Field(description="calibrated probabilities, in [0, 1]")
    frame: list[list[float]] | None = Field(description="2 x 3, from the frame's points to the picture's")
    masks: Masks | None = None


class Picture(BaseModel):
    """What was found in one picture, the largest face first."""

    name: str
    faces: list[AnalyzedFace]
    error: PictureError | None


class ModelName(BaseModel):
    """The model file that answered."""

    name: str
    sha256: str


class Analysis(BaseModel):
    """The answer of /analyze."""

    model: ModelName
    pictures: list[Picture]


class ModelCard(ModelName):
    """What the model says about itself."""

    version: str = Field(description="of facelocus")
    attributes: list[str]
    regions: list[str]
    region_of: dict[str, str]
    thresholds: dict[str, list[float]]
    mask: list[int] | None = Field(description="rows and columns of a mask; null where the model has none")
    frame: list[int] = Field(description="rows, columns and channels of an aligned face")
    seen: list[float] = Field(description="share of the frame's height and width, around its middle, that it sees")
    meanings: dict[str, str] = Field(description="what annotators seem to have ticked, for the attributes of CelebA")
    licence: str
    library: bool = Field(description="whether a library can be searched here")


class FoundFace(BaseModel):
    """A face that a picture was found by."""

    id: int
    face: int
    box: list[float]
    trust: float
    probability: float | None
    terms: dict[str, float]


class FoundPicture(BaseModel):
    """A picture of the library that was found."""

    picture: int
    name: str
    score: float
    thumbnail: str
    faces: list[FoundFace]


class QueryTerm(BaseModel):
    """A part of a query."""

    text: str
    without: str = Field(description="the query without this part; empty where nothing is left")


class Understood(BaseModel):
    """What a query says, and each part with what is left without it."""

    understood: str
    terms: list[QueryTerm]


class Search(BaseModel):
    """The answer of /search."""

    understood: str
    more: bool = Field(description="whether there are more behind these")
    results: list[FoundPicture]


class WordsOf(BaseModel):
    """An attribute and what it may be called."""

    name: str
    region: str
    words: list[str]


class Words(BaseModel):
    """The words a query may have."""

    attributes: list[WordsOf]


class AttributeShare(BaseModel):
    """How many faces of the library have an attribute, with a 95 % interval; all in [0, 1]."""

    name: str
    share: float
    low: float
    high: float
    corrected: bool = Field(description="for the model's error rates on validation faces")


class Summary(BaseModel):
    """What the library holds."""

    pictures: int
    faces: int
    attributes: list[AttributeShare]


class LibraryFace(BaseModel):
    """A face of the library."""

    id: int
    picture: int
    face: int
    box: list[float]
    trust: float
    attributes: dict[str, float]


class LibraryPicture(BaseModel):
    """A picture of the library with its faces."""

    picture: int
    name: str
    thumbnail: str
    faces: list[LibraryFace]


class Health(BaseModel):
    """That the server answers, and how many pictures wait."""

    status: str
    waiting: int
