"""What answers about localisation rest on: the rules, the choice of a variant, the interval of a look."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facelocus.attributes import CELEBA
from facelocus.reports.grid.differences import Estimate
from facelocus.reports.localisation import conditions
from facelocus.reports.localisation.choice import Weighed, best, weigh
from facelocus.reports.localisation.comparison import Comparison
from facelocus.reports.localisation.conditions import gain_holds
from facelocus.reports.localisation.looks import APART, LOST
from facelocus.reports.localisation.records import read_records
from facelocus.reports.localisation.rules import (
    NO,
    PARTLY,
    UNJUDGED,
    UNSHOWN,
    YES,
    place,
    position_or_scale,
    rest,
    shown,
)
from facelocus.reports.localisation.verdicts import verdicts
from localisation_records import CONDITIONS, CONTROLS, GRID, TRUNK, look, write_looks
from paper_records import Drawn

MASKS = ("pse_conv", "masks")


def estimate(low: float, high: float, seeds: int = 3) -> Estimate:
    return Estimate((low + high) / 2, (low, high), tuple(range(seeds)), ())


ABOVE, AROUND, BELOW = estimate(0.1, 0.5), estimate(-0.2, 0.3), estimate(-0.5, -0.2)


@pytest.mark.parametrize(
    ("found", "least", "answer"),
    [
        (ABOVE, 0, YES),
        (AROUND, 0, UNSHOWN),
        (BELOW, 0, NO),
        (estimate(-0.05, 0.3), -0.1, YES),  # it may be lower, but by less than is allowed
        (AROUND, -0.1, UNSHOWN),
        (estimate(0.1, 0.5, seeds=1), 0, UNJUDGED),
        (estimate(0.1, 0.5, seeds=0), 0, YES),  # one model that speaks for itself
        (Estimate(0.3, None, (0, 1, 2), ()), 0, UNJUDGED),
        (None, 0, UNJUDGED),
    ],
)
def test_an_effect_is_judged_by_its_interval(found: Estimate | None, least: float, answer: str) -> None:
    assert shown(found, least) == answer


def test_sub_networks_look_at_their_regions_where_all_do() -> None:
    regions = dict.fromkeys(CELEBA.regions, ABOVE)
    assert place(ABOVE, regions) == (YES, [])
    assert place(ABOVE, regions | {"chin": AROUND, "neck": BELOW}) == (PARTLY, ["chin", "neck"])
    assert place(AROUND, regions)[0] == UNSHOWN and place(BELOW, regions)[0] == NO


def test_answers_rest_on_masks_where_hiding_and_showing_agree() -> None:
    assert rest(ABOVE, ABOVE) == YES and rest(BELOW, BELOW) == NO
    assert rest(ABOVE, AROUND) == PARTLY and rest(AROUND, BELOW) == UNSHOWN and rest(ABOVE, None) == UNJUDGED


@pytest.mark.parametrize(
    ("gain", "position", "level", "answer"),
    [
        (ABOVE, ABOVE, AROUND, "position"),
        (ABOVE, AROUND, ABOVE, "scale"),
        (ABOVE, BELOW, ABOVE, "scale"),
        (ABOVE, ABOVE, ABOVE, "both"),
        (ABOVE, AROUND, AROUND, "cannot be told apart here"),
        (AROUND, AROUND, AROUND, "no gain is shown that needs explaining"),
        (ABOVE, None, ABOVE, UNJUDGED),
    ],
)
def test_a_gain_is_of_position_where_it_stays_without_the_level(
    gain: Estimate, position: Estimate | None, level: Estimate, answer: str
) -> None:
    assert position_or_scale(gain, position, level) == answer


@pytest.mark.parametrize(
    ("gain", "accuracy", "lost", "passes"),
    [
        (ABOVE, estimate(-0.09, 0.3), ABOVE, YES),
        (ABOVE, estimate(-0.11, 0.3), ABOVE, UNSHOWN),
        (ABOVE, BELOW, ABOVE, NO),
        (AROUND, ABOVE, ABOVE, UNSHOWN),
        (ABOVE, ABOVE, AROUND, UNSHOWN),
        (ABOVE, None, ABOVE, UNJUDGED),
        (BELOW, None, ABOVE, NO),
    ],
)
def test_a_variant_passes_where_it_looks_better_keeps_accuracy_and_is_rested_on(
    gain: Estimate, accuracy: Estimate | None, lost: Estimate, passes: str
) -> None:
    assert Weighed("pse_softmax", gain, accuracy, lost).passes == passes


def test_the_best_passes_and_gains_most() -> None:
    large = Weighed("pse_sharp", estimate(2, 3), BELOW, ABOVE)
    middle, small = (Weighed(name, gain, ABOVE, ABOVE) for name, gain in (("a", estimate(1, 2)), ("b", ABOVE)))
    assert best([large, small, middle]) is middle
    assert best([large]) is None


def compared(folder: Path, looks: list[dict[str, Any]], drawn: Drawn | None = None) -> Comparison:
    (drawn or Drawn()).write(folder)
    write_looks(folder, looks)
    return Comparison(read_records(folder))


def test_the_interval_of_looks_holds_people_and_seeds(tmp_path: Path) -> None:
    one = compared(tmp_path, [look("pse_conv", "masks", 0, 0.5)]).look(MASKS, APART)
    assert one is not None and one.bounds is not None
    assert one.bounds[1] - one.bounds[0] == pytest.approx(0.04, rel=0.1)  # of one seed it is the recorded one
    apart = [0.3, 0.5, 0.7]
    three = compared(tmp_path, [look("pse_conv", "masks", seed, apart[seed]) for seed in range(3)]).look(MASKS, APART)
    assert three is not None and three.bounds is not None
    assert three.value == pytest.approx(0.5, abs=0.04) and three.bounds[1] - three.bounds[0] > 0.3


def test_more_seeds_on_the_same_faces_do_not_narrow_the_interval_over_people(tmp_path: Path) -> None:
    looks = [look("pse_conv", "masks", seed, 0.5) for seed in range(3)]
    for each in looks:
        each["faithfulness"]["highest hidden loses more than random"] = [5.0, 4.0, 6.0]
    found = compared(tmp_path, looks).look(MASKS, LOST)
    assert found is not None and found.bounds == pytest.approx((4.0, 6.0), abs=0.1)


def test_what_seeds_have_in_common_cancels_in_a_difference(tmp_path: Path) -> None:
    looks = [look("pse_conv", "masks", seed, 0.3 + 0.2 * seed) for seed in range(3)]
    looks += [look("pse_softmax", "masks", seed, 0.5 + 0.2 * seed) for seed in range(4)]
    found = compared(tmp_path, looks).look_less(("pse_softmax", "masks"), MASKS, APART)
    assert found is not None and found.bounds is not None and found.seeds == (0, 1, 2)
    low, high = found.bounds
    assert 0.1 < low < 0.2 < high < 0.3
    assert compared(tmp_path, looks).look_less(MASKS, ("none", "hirescam"), APART) is None


def test_an_answer_turns_with_the_records(tmp_path: Path) -> None:
    drawn, looks = Drawn(), []
    for seed in range(3):
        for variant, gain, apart in (("none", 0.0, None), ("pse_conv", 2.0, 0.5), ("pse_normalised", 3.0, 1.0)):
            drawn.add(GRID, TRUNK, variant, seed, gain=gain)
            if apart is not None:
                across = {"chin": -0.4} if variant == "pse_conv" else None
                looks.append(look(variant, "masks", seed, apart, across=across))
        looks.append(look("none", "hirescam", seed, 0.2))
    comparison = compared(tmp_path, looks, drawn)
    found = verdicts(read_records(tmp_path), comparison, {})
    assert [verdict.answer for verdict in found][:2] == [UNJUDGED, PARTLY]
    assert "Not shown of chin." in found[1].reasons
    assert [verdict.answer for verdict in found][4:6] == [YES, "position"]
    assert found[6].answer == "yes: mask over its mean"
    assert [verdict.answer for verdict in found][7:] == [UNJUDGED, UNJUDGED]
    (better,) = [each for each in weigh(comparison) if each.passes != UNJUDGED]
    assert better.variant == "pse_normalised" and better.better == better.kept == better.rests == YES


@pytest.mark.parametrize(("gains", "answer"), [((1, 1, 1, 1), YES), ((1, -1, 1, 1), PARTLY), ((-1, -1, -1, -1), NO)])
def test_a_gain_holds_where_every_condition_shows_it(gains: tuple[float, ...], answer: str, tmp_path: Path) -> None:
    drawn = Drawn()
    for condition, gain in zip(CONDITIONS, gains, strict=True):
        for variant, its in (("none", 0.0), ("pse_conv", gain)):
            drawn.add(CONTROLS, TRUNK, variant, 0, gain=its, tail=f"/{condition}")
    comparison = compared(tmp_path, [], drawn)
    found, reasons = gain_holds(conditions.compared(comparison))
    assert found == answer and sum(reason.count("points.") for reason in reasons) == len(CONDITIONS)
