"""The columns are what is documented, and three formats hold the same values, whatever a file is called."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facelocus.attributes import CELEBA, AttributeSet
from facelocus.errors import MissingExtraError, ModelFileError, UsageError
from facelocus.model import Model
from facelocus.photos import tables
from facelocus.photos.analyze import Face, analyze
from facelocus.photos.rows import COLUMNS, NUMBER, TEXT, Origin, columns, face_values, photo_rows
from facelocus.photos.tables import FORMATS, check_format, write_table
from faces import draw_face
from small_model import SMALL, write_model

ORIGIN = Origin("small", "0" * 64, "1.2.3")
WIDTH = len(columns(SMALL))

NAMES = ["plain.jpg", "a,b.jpg", 'the "best".jpg', "two\nlines.jpg", "cr\rhere.jpg", "été 日本 😀.jpg", " space "]
STRAY = os.fsdecode(b"caf\xe9.jpg") if sys.getfilesystemencoding() == "utf-8" and os.name != "nt" else "caf\udce9.jpg"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Face:
    model = Model.load(write_model(tmp_path_factory.mktemp("model") / "small.onnx"), threads=1)
    return analyze(draw_face(0), model=model, aligned=True)[0]


def rows(face: Face) -> list[list[Any]]:
    made = []
    for name in [*NAMES, STRAY]:
        made += photo_rows(name, [face_values(face)] * 2, None, ORIGIN, WIDTH)
        made += photo_rows(name, [], None, ORIGIN, WIDTH)
        made += photo_rows(name, [], ["ImageError", f"{name} is empty"], ORIGIN, WIDTH)
    return made


def written(ending: str, values: list[list[Any]]) -> bytes:
    file = io.BytesIO()
    write_table(Path(f"t{ending}"), file, columns(SMALL), iter(values))
    return file.getvalue()


def as_text(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def test_columns_are_unique_and_in_the_documented_order() -> None:
    names = list(columns(CELEBA))
    assert len(set(names)) == len(names) == len(COLUMNS) + len(CELEBA)
    assert [name for name in names if name in COLUMNS] == list(COLUMNS)
    assert names[names.index("model") - len(CELEBA) : names.index("model")] == list(CELEBA.names)


def test_an_attribute_with_the_name_of_a_column_is_refused() -> None:
    with pytest.raises(ModelFileError, match="'score'"):
        columns(AttributeSet.by_region({"left": ("score",)}))


def test_a_face_is_a_row_as_in_its_json(face: Face) -> None:
    (row,) = photo_rows("x.jpg", [face_values(face)], None, ORIGIN, WIDTH)
    named = dict(zip(columns(SMALL), row, strict=True))
    value = face.to_json()
    assert (named["path"], named["face"], named["faces"]) == ("x.jpg", 1, 1)
    assert [named[side] for side in ("x0", "y0", "x1", "y1")] == value["box"]
    assert {name: named[name] for name in SMALL.names} == value["attributes"]
    assert named["quality_size"] == value["quality"]["size"]
    assert (named["score"], named["nose_x"], named["error"]) == (None, None, None), "nothing was detected"
    assert (named["model"], named["model_sha256"], named["version"]) == ("small", "0" * 64, "1.2.3")


def test_landmarks_stand_under_their_names(face: Face) -> None:
    from dataclasses import replace

    points = np.arange(10.0).reshape(5, 2)
    (row,) = photo_rows("x.jpg", [face_values(replace(face, landmarks=points, score=0.5))], None, ORIGIN, WIDTH)
    named = dict(zip(columns(SMALL), row, strict=True))
    assert [named[name] for name in ("eye_left_x", "eye_left_y", "nose_x", "mouth_right_y")] == [0, 1, 4, 9]


def test_a_photo_without_a_face_and_an_unreadable_one_are_rows_too() -> None:
    (none,) = photo_rows("x.jpg", [], None, ORIGIN, WIDTH)
    (bad,) = photo_rows("x.jpg", [], ["ImageError", "x.jpg is empty"], ORIGIN, WIDTH)
    assert none[:3] == ["x.jpg", 0, 0]
    assert bad[:3] == ["x.jpg", 0, None]
    assert len(none) == len(bad) == WIDTH
    assert none[-5:] == ["small", "0" * 64, "1.2.3", None, None]
    assert bad[-2:] == ["ImageError", "x.jpg is empty"]
    assert set(none[3:-5]) == set(bad[3:-5]) == {None}


def test_the_three_formats_hold_the_same_values(face: Face) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    values, kinds = rows(face), columns(SMALL)
    lines = [json.loads(line) for line in written(".jsonl", values).decode().split("\n")[:-1]]
    assert [list(line.values()) for line in lines] == values
    assert all(list(line) == list(kinds) for line in lines)

    header, *records = csv.reader(io.StringIO(written(".csv", values).decode(), newline=""))
    assert header == list(kinds)
    assert records == [["" if value is None else as_text(str(value)) for value in row] for row in values]

    table = parquet.read_table(pyarrow.BufferReader(written(".parquet", values)))
    assert {field.name: str(field.type).replace("float", "float32") for field in table.schema} == kinds
    back = [list(row.values()) for row in table.to_pylist()]
    single = [
        [
            np.float32(value).item() if kind == NUMBER and value is not None else value
            for value, kind in zip(row, kinds.values(), strict=True)
        ]
        for row in values
    ]
    assert back == [[as_text(value) for value in row] for row in single]


def test_only_a_stray_byte_of_a_name_is_changed(face: Face) -> None:
    """JSON lines give the name back; CSV and Parquet hold the escape as text."""
    values = list(photo_rows(STRAY, [], None, ORIGIN, WIDTH))
    assert json.loads(written(".jsonl", values))["path"] == STRAY
    assert written(".csv", values).splitlines()[1].startswith(b"caf\\udce9.jpg,0,0,")


def test_csv_has_the_line_ends_of_its_standard(face: Face) -> None:
    text = written(".csv", list(photo_rows("x.jpg", [], None, ORIGIN, WIDTH)))
    assert text.count(b"\r\n") == 2
    assert not text.startswith(b"\xef\xbb\xbf")


def test_parquet_is_written_in_row_groups(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    monkeypatch.setattr(tables, "ROW_GROUP", 6)
    monkeypatch.setattr(tables, "_PIECE", 2)
    values = rows(face)[:15]
    content = written(".parquet", values)
    about = parquet.ParquetFile(pyarrow.BufferReader(content)).metadata
    assert [about.row_group(i).num_rows for i in range(about.num_row_groups)] == [6, 6, 3]
    assert content == written(".parquet", values), "the same rows are the same bytes"


@pytest.mark.parametrize("ending", FORMATS)
def test_a_table_without_rows_has_its_columns(ending: str) -> None:
    assert len(written(ending, [])) > 0 or ending == ".jsonl"


def test_another_ending_is_refused() -> None:
    for name in ("faces", "faces.xlsx", "faces.csv.gz"):
        with pytest.raises(UsageError, match=r"\.parquet, \.csv, \.jsonl"):
            check_format(Path(name))
    check_format(Path("faces.CSV"))


def test_parquet_without_pyarrow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"facelocus\[parquet\]"):
        check_format(Path("faces.parquet"))
    check_format(Path("faces.csv"))


def test_text_is_text_in_every_format() -> None:
    assert {kind for name, (kind, _) in COLUMNS.items() if name in ("path", "model", "error")} == {TEXT}
