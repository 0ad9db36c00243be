"""From a photograph to named attributes, whatever kind of file it is; a bad one does not stop the rest."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from facelocus.errors import ImageError, ModelFileError
from facelocus.images.align import LANDMARKS
from facelocus.model import Model
from facelocus.photos.analyze import Face, analyze, analyze_many
from faces import draw_face
from orientations import stored
from small_model import SMALL, write_model

Picture = npt.NDArray[np.uint8]


def _as_file(portrait: Picture, mode: str) -> bytes:
    image, options, kind = Image.fromarray(portrait), {}, "PNG"
    if mode == "turned by EXIF":
        (image, options["exif"]), kind = stored(image, 6), "JPEG"
    elif mode == "16 bit":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    elif mode == "CMYK":
        image, kind = image.convert("CMYK"), "JPEG"
    else:
        image = image.convert(mode)
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK", "16 bit", "turned by EXIF"])
def test_the_portrait_is_found_in_every_kind_of_file(
    mode: str, portrait: Picture, marked: npt.NDArray[np.int64], model: Model
) -> None:
    faces = analyze(_as_file(portrait, mode), model=model)
    assert len(faces) == 1
    assert faces[0].landmarks is not None
    assert np.abs(faces[0].landmarks - marked).max() < 7


def test_a_face_holds_what_it_promises(portrait: Picture, model: Model) -> None:
    (face,) = analyze(portrait, model=model)
    assert tuple(face.attributes) == SMALL.names
    assert all(0 <= value <= 1 and type(value) is float for value in face.attributes.values())
    assert face.masks is not None
    assert face.masks.shape == (2, 2, 2)
    assert face.crop.shape == (218, 178, 3)
    assert face.crop.dtype == np.uint8
    assert face.quality.size == max(face.box[2] - face.box[0], face.box[3] - face.box[1])
    direct = model.predict(face.crop[None])
    assert list(face.attributes.values()) == direct.probabilities[0].tolist()


def test_the_crop_is_the_face_in_the_frame(portrait: Picture, model: Model) -> None:
    """Detected again in its own crop, the face has its landmarks where the template has them."""
    (face,) = analyze(portrait, model=model)
    (again,) = analyze(face.crop, model=model)
    assert again.landmarks is not None
    assert np.abs(again.landmarks - LANDMARKS)[[0, 1, 3, 4]].max() < 4


def test_to_json_is_json_without_the_pictures(portrait: Picture, model: Model) -> None:
    (face,) = analyze(portrait, model=model)
    value = json.loads(json.dumps(face.to_json()))
    assert set(value) == {"box", "score", "landmarks", "quality", "attributes"}
    assert np.allclose(value["landmarks"], face.landmarks, atol=0.01)
    assert value["attributes"] == pytest.approx(dict(face.attributes), abs=1e-6)
    assert value["quality"]["size"] == pytest.approx(face.quality.size, abs=0.1)


def test_aligned_pictures_are_taken_as_they_are(model: Model) -> None:
    drawn = draw_face(1)
    (face,) = analyze(drawn, model=model, aligned=True)
    assert np.array_equal(face.crop, drawn)
    assert (face.score, face.landmarks, face.box) == (None, None, (0, 0, 178, 218))
    assert json.loads(json.dumps(face.to_json()))["landmarks"] is None
    (larger,) = analyze(np.repeat(np.repeat(drawn, 2, 0), 2, 1), model=model, aligned=True)
    assert larger.crop.shape == (218, 178, 3)
    assert larger.box == (0, 0, 356, 436)


def test_flip_averages_with_the_mirrored_face(portrait: Picture, model: Model) -> None:
    (face,) = analyze(portrait, model=model, flip=True)
    assert list(face.attributes.values()) == model.predict(face.crop[None], flip=True).probabilities[0].tolist()


def test_a_picture_without_a_face_gives_an_empty_list(model: Model) -> None:
    assert analyze(np.zeros((300, 300, 3), dtype=np.uint8), model=model) == []


def test_one_bad_picture_does_not_end_the_iteration(tmp_path: Path, portrait_file: Path, model: Model) -> None:
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(portrait_file.read_bytes()[:20_000])
    sources = [portrait_file, cut, tmp_path / "none.jpg", tmp_path, portrait_file]
    results = list(analyze_many(iter(sources), model=model))
    assert [source for source, _ in results] == sources
    kinds = [type(result) for _, result in results]
    assert kinds == [list, ImageError, ImageError, ImageError, list]
    first, last = results[0][1], results[-1][1]
    assert isinstance(first, list) and isinstance(last, list)
    assert isinstance(first[0], Face)
    assert first[0].attributes == last[0].attributes


def test_photographs_are_read_one_at_a_time(portrait: Picture, model: Model) -> None:
    asked: list[int] = []

    def sources() -> object:
        for number in range(3):
            asked.append(number)
            yield portrait

    results = analyze_many(sources(), model=model)  # type: ignore[arg-type]
    next(results)
    assert asked == [0]


def test_a_model_that_cannot_be_used_is_told_before_the_first_photograph(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError):
        analyze_many([], model=tmp_path / "none.onnx")


def test_a_model_is_taken_by_path_and_a_file_exported_anew_is_read_anew(
    portrait: Picture, tmp_path: Path, model: Model
) -> None:
    path = write_model(tmp_path / "m.onnx")
    assert analyze(portrait, model=path)[0].attributes == analyze(portrait, model=model)[0].attributes
    write_model(path, masks=False)
    assert analyze(portrait, model=str(path))[0].masks is None


def test_a_large_jpeg_read_reduced_still_gives_pixels_of_the_photograph(
    portrait: Picture, marked: npt.NDArray[np.int64], model: Model
) -> None:
    stream = BytesIO()
    Image.fromarray(portrait).resize((2816, 3300), Image.Resampling.LANCZOS).save(stream, "JPEG")
    (face,) = analyze(stream.getvalue(), model=model)
    assert face.landmarks is not None
    assert np.abs(face.landmarks / 5.5 - marked).max() < 6
    assert face.box[3] - face.box[1] > 1100
