"""Faces get worse as their level says, all models see the same ones, and the record holds what was measured."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("matplotlib")

import robustness
from degraded import warped
from facelocus.attributes import CELEBA, AttributeSet
from facelocus.data import Pack, open_pack
from facelocus.errors import DataError
from facelocus.images.regions import region_maps
from facelocus.metrics import measure as score
from facelocus.model import Prediction
from faces import draw_face, write_celeba
from robustness import AS_THEY_ARE, CURVES, HIDDEN, measure
from robustness_figure import draw


class Guess:
    """A model that answers every attribute from how red a frame is, and keeps what it saw."""

    sha256, metadata, attributes = None, {}, CELEBA

    def __init__(self, name: str, answer: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]) -> None:
        self.name, self.answer, self.seen = name, answer, list[bytes]()
        self.thresholds = {kind: np.full(40, 0.5) for kind in ("accuracy", "balanced")}

    def predict(self, crops: npt.NDArray[np.uint8], flip: bool = False, batch: int = 4) -> Prediction:
        self.seen.append(crops.tobytes())
        redness = crops[..., 0].mean(axis=(1, 2)) / 255
        return Prediction(np.repeat(self.answer(redness)[:, None], 40, axis=1).astype(np.float32), None)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    folder = tmp_path_factory.mktemp("robust")
    return open_pack(write_celeba(folder / "faces", 45), folder / "packs")


FEW = {
    way: dataclasses.replace(CURVES[way], levels=CURVES[way].levels[:2]) for way in ("JPEG", "blur", "noise", "roll")
}


@pytest.fixture(scope="module")
def measured(pack: Pack) -> tuple[dict[str, Any], dict[str, Guess]]:
    models = {"red": Guess("red", lambda r: r), "blind": Guess("blind", lambda r: np.full(len(r), 0.7))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(robustness, "CURVES", FEW)
        return measure(pack, models, 6), models


def test_the_record_holds_what_was_measured(pack: Pack, measured: tuple[dict[str, Any], dict[str, Guess]]) -> None:
    record, models = measured
    rows = pack.rows("test")[np.linspace(0, len(pack.rows("test")) - 1, 6).astype(int)]
    wanted = score(pack.labels[rows], models["red"].predict(pack.frames(rows)).probabilities, models["red"].thresholds)
    found = record["models"]["red"][AS_THEY_ARE][AS_THEY_ARE]
    assert found["accuracy"][0] == pytest.approx(100 * wanted["accuracy"].mean(), abs=1e-3)
    assert found["balanced accuracy"][0] == pytest.approx(100 * np.nanmean(wanted["balanced_accuracy"]), abs=1e-3)
    assert record["faces"] == 6 and record["people"] == len(np.unique(pack.people[rows]))
    for way, curve in FEW.items():
        assert list(record["models"]["red"][way]) == [f"{level:g}" for level in curve.levels]
    assert list(record["models"]["red"][HIDDEN]) == list(CELEBA.regions)


def test_who_answers_always_alike_is_balanced_at_half_and_the_lead_is_over_it(
    measured: tuple[dict[str, Any], dict[str, Guess]],
) -> None:
    red, blind = (measured[0]["models"][name] for name in ("red", "blind"))
    for way in (AS_THEY_ARE, "blur", HIDDEN):
        for level, point in blind[way].items():
            assert point["balanced accuracy"][0] == 50
            lead = red[way][level]["balanced accuracy"][0] - 50
            assert point["lead of the first"][0] == pytest.approx(lead, abs=2e-3)
            assert "lead of the first" not in red[way][level]


def test_all_models_see_the_same(measured: tuple[dict[str, Any], dict[str, Guess]]) -> None:
    red, blind = measured[1].values()
    ways = 1 + 2 * len(FEW) + len(CELEBA.regions)
    assert len(set(blind.seen)) == len(blind.seen) == ways
    assert set(blind.seen) <= set(red.seen)


@pytest.mark.parametrize("way", CURVES)
def test_a_face_is_further_from_itself_at_every_level(way: str) -> None:
    curve, frame = CURVES[way], draw_face(3)

    def off(level: float) -> float:
        changed = curve.change(frame, level, np.random.default_rng(0))
        assert changed.dtype == np.uint8 and changed.shape == frame.shape
        return float(np.abs(changed.astype(float) - frame).mean())

    assert off(curve.none) < 4  # a JPEG of 100 is not quite what it was
    for side in (-1, 1):
        levels = sorted((level for level in curve.levels if side * (level - curve.none) > 0), key=lambda x: side * x)
        found = [off(curve.none), *map(off, levels)]
        assert found == sorted(found)


def test_a_face_leans_to_the_left_and_grows() -> None:
    frame = np.zeros((218, 178, 3), np.uint8)
    frame[20:30, 84:94] = 255  # above the middle
    for turn, zoom, where in ((20, 1.0, "left"), (-20, 1.0, "right"), (0, 2.0, "gone"), (0, 0.5, "lower")):
        rows, columns = np.nonzero(warped(frame, turn, zoom)[0][..., 0] > 128)
        place = "gone" if not len(rows) else "lower" if rows.mean() > 40 and abs(columns.mean() - 89) < 3 else None
        assert where == (place or ("left" if columns.mean() < 80 else "right"))


def test_a_hidden_region_is_of_one_colour_and_the_rest_stays(pack: Pack) -> None:
    frame = draw_face(1)
    hidden = {level: change for way, level, change in robustness.ways(pack) if way == HIDDEN}
    inside = region_maps()[CELEBA.regions.index("mouth")] > 0.5
    changed = hidden["mouth"](frame, np.random.default_rng(0))
    assert len(np.unique(changed[inside], axis=0)) == 1
    np.testing.assert_array_equal(changed[~inside], frame[~inside])


def test_a_record_keeps_its_other_models_where_they_saw_the_same(
    pack: Pack, measured: tuple[dict[str, Any], dict[str, Guess]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(robustness, "CURVES", FEW)
    monkeypatch.setattr(robustness, "open_pack", lambda _: pack)
    monkeypatch.setattr(robustness, "open_model", lambda _: Guess("red", lambda r: 1 - r))
    file = tmp_path / "r.json"

    def asked(faces: int) -> dict[str, Any]:
        given = ["--model", "red=it", "--faces", str(faces), "--json", str(file), "--picture", str(tmp_path / "r.png")]
        monkeypatch.setattr("sys.argv", ["robustness.py", "faces", *given])
        robustness.main()
        return dict(json.loads(file.read_text()))

    assert list(asked(6)["models"]) == ["red"]
    before = json.loads(json.dumps(measured[0]))
    file.write_text(json.dumps(before))
    after = asked(6)
    assert list(after["models"]) == ["red", "blind"]
    assert after["models"]["blind"] == before["models"]["blind"]
    assert after["models"]["red"]["blur"] != before["models"]["red"]["blur"]
    with pytest.raises(DataError, match=r"r.json: is of another faces: give another file"):
        asked(5)


def test_a_model_of_other_attributes_is_refused(pack: Pack) -> None:
    other = Guess("other", lambda r: r)
    other.attributes = AttributeSet.by_region({"all": ("Hat",)})
    with pytest.raises(DataError, match="has other attributes than the model ours"):
        measure(pack, {"ours": other}, 6)


def test_the_picture_is_drawn_from_the_record(
    measured: tuple[dict[str, Any], dict[str, Guess]], tmp_path: Path
) -> None:
    draw(json.loads(json.dumps(measured[0])), tmp_path / "r.png")
    assert (tmp_path / "r.png").stat().st_size > 10_000
