"""What verdicts rest on: paired intervals, the rules, the choice of rates, the curve of growth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facelocus.metrics.intervals import RESAMPLES
from facelocus.reports.grid.differences import Estimate, Resamples
from facelocus.reports.paper.conditions import families
from facelocus.reports.paper.costs import Cost, Costs
from facelocus.reports.paper.gains import FAILS, HOLDS, SIGN, UNJUDGED, equality, gain, judge_gains
from facelocus.reports.paper.growth import growths, power_law
from facelocus.reports.paper.records import read_records
from facelocus.reports.paper.verdicts import verdicts
from facelocus.reports.published import TRAINING_IMAGES
from paper_records import IMAGES, Drawn


def pair(added: float, folder: Path, seeds: int = 3) -> tuple[Resamples, dict[str, Estimate]]:
    """Return the gain of PSE(b), drawn to be so many points, and each side's own mean."""
    drawn = Drawn()
    for seed in range(seeds):
        drawn.add("paper_small", "alexnet_cvgj", "none", seed)
        drawn.add("paper_small", "alexnet_cvgj", "pse_conv", seed, gain=added)
    records = read_records(drawn.write(folder))
    resamples = Resamples(records.labels, records.counts)
    sides = {module: [run for run in records.runs if run.module == module] for module in ("pse_conv", "none")}
    estimates = {name: resamples.mean(cell, "mean_accuracy_at_half") for name, cell in sides.items()}
    apart = resamples.difference(sides["pse_conv"], sides["none"], "mean_accuracy_at_half")
    assert apart is not None
    return resamples, estimates | {"apart": apart}


def width(estimate: Estimate) -> float:
    assert estimate.bounds is not None
    return estimate.bounds[1] - estimate.bounds[0]


def test_a_paired_interval_holds_the_difference_and_is_narrower_than_an_unpaired_one(tmp_path: Path) -> None:
    _, found = pair(0.8, tmp_path)
    low, high = found["apart"].bounds or (0, 0)
    assert low < 0.8 < high and low > 0
    unpaired = np.hypot(width(found["pse_conv"]), width(found["none"]))
    assert width(found["apart"]) < unpaired / 2
    assert len(found["apart"].runs) == 6 and found["apart"].seeds == (0, 1, 2)


def test_equal_runs_differ_by_nothing_in_every_resample(tmp_path: Path) -> None:
    resamples, _ = pair(0.8, tmp_path)
    cell = [run for run in read_records(tmp_path).runs if run.module == "none"]
    same = resamples.difference(cell, cell, "mean_balanced_accuracy")
    assert same is not None and (same.value, same.bounds) == (0, (0, 0))


def test_resamples_of_a_score_lie_around_it(tmp_path: Path) -> None:
    resamples, _ = pair(0.0, tmp_path, seeds=1)
    (run, _) = read_records(tmp_path).runs
    for metric in ("mean_accuracy_at_half", "mean_balanced_accuracy"):
        values = resamples.of(run, metric)  # type: ignore[arg-type]
        assert values is not None and values.shape == (RESAMPLES,) and 0 < values.std() < 1
        assert values.mean() == pytest.approx(getattr(run.test, metric), abs=0.1)


def estimate(low: float, high: float, seeds: int = 3) -> Estimate:
    return Estimate((low + high) / 2, (low, high), tuple(range(seeds)), ())


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (estimate(0.5, 0.9), HOLDS),
        (estimate(0.1, 0.5), SIGN),
        (estimate(0.8, 1.2), SIGN),
        (estimate(-0.3, 0.5), FAILS),
        (estimate(-0.9, -0.5), FAILS),
        (estimate(-0.3, 0.9), UNJUDGED),
        (estimate(0.5, 0.9, seeds=1), UNJUDGED),
        (Estimate(0.7, None, (0, 1, 2), ()), UNJUDGED),
        (None, UNJUDGED),
    ],
)
def test_a_gain_is_judged_by_its_interval(found: Estimate | None, verdict: str) -> None:
    assert gain(0.7)(found) == verdict


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (estimate(-0.1, 0.2), HOLDS),
        (estimate(0.05, 0.2), HOLDS),  # they differ, but by less than counts
        (estimate(-0.3, 0.2), UNJUDGED),  # no significant difference is no equality
        (estimate(0.3, 0.6), FAILS),
        (estimate(-0.6, -0.3), FAILS),
        (estimate(-0.1, 0.2, seeds=1), UNJUDGED),
        (None, UNJUDGED),
    ],
)
def test_equality_is_shown_not_left_over(found: Estimate | None, verdict: str) -> None:
    assert equality(found) == verdict


def judged(drawn: Drawn, folder: Path) -> dict[str, tuple[str, dict[str, str]]]:
    records = read_records(drawn.write(folder))
    found = judge_gains(families(records), Resamples(records.labels, records.counts))
    return {verdict.claim: (verdict.verdict, verdict.controls) for verdict in found}


@pytest.mark.parametrize(("added", "verdict"), [(0.75, HOLDS), (-0.75, FAILS), (3.0, SIGN)])
def test_a_verdict_turns_with_the_effect(added: float, verdict: str, tmp_path: Path) -> None:
    drawn = Drawn()
    for seed in range(3):
        for module in ("none", "pse_conv", "pse_fully_connected"):
            drawn.add("paper_short", "alexnet_cvgj", module, seed, gain=0 if module == "none" else added)
    found = judged(drawn, tmp_path)
    assert found["PSE(b) adds 0.73 points on Alex"] == found["PSE(a) adds 0.70 points on Alex"] == (verdict, {})
    assert found["(a) equals (b) on Alex"][0] == HOLDS
    assert found["PSE(b) adds 0.25 points on SE"][0] == found["(a) equals (b) on SE"][0] == UNJUDGED


def test_a_longer_form_is_judged_before_a_shorter_and_its_controls_with_it(tmp_path: Path) -> None:
    drawn = Drawn()
    for seed in range(3):
        for module, added in (("none", 0.0), ("pse_conv", 0.75)):
            drawn.add("paper", "alexnet_cvgj", module, seed, gain=added, iterations=20_000)
            drawn.add("paper_controls", "alexnet_cvgj", module, seed, gain=0, iterations=20_000, tail="/plain",
                      **{"network.normalise": False})  # fmt: skip
            drawn.add("paper_small", "alexnet_cvgj", module, seed, gain=-added)
    verdict, controls = judged(drawn, tmp_path)["PSE(b) adds 0.73 points on Alex"]
    assert verdict == HOLDS and controls == {"classifier inputs not normalised, rate 0.005": FAILS}


def test_another_trunk_is_judged_by_whether_a_module_adds_at_all(tmp_path: Path) -> None:
    drawn = Drawn()
    for seed in range(3):
        for module, added in (("none", 0.0), ("pse_conv", 3.0), ("pse_fully_connected", -0.5)):
            drawn.add("paper_small", "another", module, seed, gain=added)
    found = judged(drawn, tmp_path)
    assert found["PSE(b) adds anything on `another`"][0] == HOLDS
    assert found["PSE(a) adds anything on `another`"][0] == found["(a) equals (b) on `another`"][0] == FAILS


def test_runs_that_start_from_other_weights_are_not_compared(tmp_path: Path) -> None:
    drawn = Drawn()
    for module in ("none", "pse_conv"):
        drawn.add("paper_small", "alexnet_cvgj", module, 0, gain=0)
    drawn.lines[0]["from"] = {"layers_of": "alexnet_cvgj"}
    found = families(read_records(drawn.write(tmp_path)))
    assert {family.began: family.conditions for family in found} == {"from scratch": (), "from given weights": ()}


def test_a_rate_is_chosen_on_validation_alone(tmp_path: Path) -> None:
    drawn = Drawn()
    for seed in range(2):
        for module in ("none", "pse_conv"):
            drawn.add("paper_small", "alexnet_cvgj", module, seed)
            drawn.add("paper_small_controls", "alexnet_cvgj", module, seed, accuracy=86, tail="/other",
                      **{"optimizer.rate": 0.02})  # fmt: skip
    for line in drawn.lines:
        line["validation"]["mean_accuracy_at_half"] = 90.0 if line["grid"].endswith("controls") else 80.0
    (family,) = families(read_records(drawn.write(tmp_path)))
    (tuned,) = [condition for condition in family.conditions if condition.tuned]
    assert {module: cell[0].rate for module, cell in tuned.cells.items()} == {"none": 0.02, "pse_conv": 0.02}
    assert [condition.main for condition in family.conditions] == [True, False, False]
    assert [condition.title for condition in family.weighed] == [
        "normalised classifier inputs, rate 0.005",
        "normalised classifier inputs, rate tuned per module",
    ]


def test_runs_of_other_settings_are_not_compared(tmp_path: Path) -> None:
    drawn = Drawn()
    drawn.add("paper_small", "alexnet_cvgj", "none", 0, batch_size=32)
    drawn.add("paper_small", "alexnet_cvgj", "pse_conv", 0, batch_size=64)
    assert [family.conditions for family in families(read_records(drawn.write(tmp_path)))] == [(), ()]


def test_a_power_law_is_found_again() -> None:
    images = IMAGES / 2.0 ** np.arange(4, -1, -1)
    truth = np.array([8.0, 0.0]), np.array([40.0, 60.0]), np.array([0.4, 0.2])
    errors = np.stack([a + b * images**-c for a, b, c in zip(*truth, strict=True)])
    for found, wanted in zip(power_law(images, errors), truth, strict=True):
        assert found == pytest.approx(wanted, abs=0.01, rel=0.01)


def test_growth_leads_to_the_whole_of_celeba_with_an_interval(tmp_path: Path) -> None:
    drawn = Drawn()
    for seed in range(3):
        for part in (16, 8, 4, 2, 1):
            grid = "paper_small" if part == 1 else "paper_small_growth"
            drawn.add(grid, "alexnet_cvgj", "pse_conv", seed, gain=0, accuracy=91 - 30 * (IMAGES / part) ** -0.3,
                      images=IMAGES // part, tail="" if part == 1 else f"/{part}", share=1 / part)  # fmt: skip
    records = read_records(drawn.write(tmp_path))
    (growth,) = growths(records, Resamples(records.labels, records.counts))
    assert list(growth.points) == [IMAGES // part for part in (16, 8, 4, 2, 1)]
    fit = growth.fit
    assert fit is not None and fit.low is not None and fit.high is not None
    assert fit.images[-1] == pytest.approx(TRAINING_IMAGES)
    wanted = 91 - 30 * TRAINING_IMAGES**-0.3
    assert fit.low[-1] < wanted < fit.high[-1] and fit.high[-1] - fit.low[-1] < 3
    assert fit.curve[-1] == pytest.approx(wanted, abs=0.2) and fit.line > fit.curve[-1]


def test_runs_on_other_test_faces_are_no_points_of_one_growth(tmp_path: Path) -> None:
    drawn = Drawn()
    for part, labels in ((2, "beef"), (1, "f00d")):
        drawn.add("paper_small_growth", "alexnet_cvgj", "pse_conv", 0, images=IMAGES // part, tail=f"/{part}")
        drawn.lines[-1]["test"]["labels"] = labels
    records = read_records(drawn.write(tmp_path))
    assert growths(records, Resamples(records.labels, records.counts)) == []


@pytest.mark.parametrize(("seconds", "verdict"), [(1.02, HOLDS), (1.2, FAILS)])
def test_a_cost_is_little_up_to_five_percent(seconds: float, verdict: str) -> None:
    def row(module: str, step: float) -> Cost:
        return Cost("alexnet_cvgj", module, (131, 131), 1000, 0, 1e9, step, (step - 0.01, step + 0.01), 1e6)

    costs = Costs("a processor", 2, 32, [row("none", 1), row("pse_conv", seconds)])
    (found,) = [each for each in verdicts([], resamples=None, costs=costs, shown={}) if "costs" in each.claim]  # type: ignore[arg-type]
    assert found.verdict == verdict
