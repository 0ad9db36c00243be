"""Where the shipped sub-networks look."""

from __future__ import annotations

import json
from pathlib import Path

from documents import RESULTS
from facelocus.reports.grid.differences import METRICS, Metric
from facelocus.reports.grid.markdown import counted, with_bounds
from facelocus.reports.localisation.comparison import Comparison
from facelocus.reports.localisation.conditions import compared
from facelocus.reports.localisation.looks import APART, LOST, OTHERS, OWN, POINTING, Score, apart_in
from facelocus.reports.localisation.records import read_records

LOCALISATION = RESULTS / "localisation" / "default.json"


def localisation(result: Path = LOCALISATION) -> str:
    """Return how far the shipped masks lie on their regions, and what is lost where they are hidden."""
    found = json.loads(result.read_text(encoding="utf-8"))
    hidden = found["faithfulness"]
    lines = [
        f"The shipped model on {found['faces']:,} {found['split']} faces of {found['people']} people, with 95 % "
        "intervals over people:",
        "",
        "| region | own | others | pointing | by chance |",
        "|---|---|---|---|---|",
    ]
    for name, row in {"all": found, **found["regions"]}.items():
        own, others, pointing = (_between(row[key]) for key in ("own", "others", "pointing"))
        lines.append(f"| {name} | {own} | {others} | {pointing} | {row['pointing by chance']:.2f} |")
    lines += [
        "",
        f"On {hidden['faces']} of them, right answers in percent with a fifth of the frame hidden, or shown alone; "
        f"whole it is {hidden['whole'][0]:.1f}:",
        "",
        "| the fifth where the mask is | hidden | shown alone |",
        "|---|---|---|",
    ]
    for order in ("highest", "lowest", "random"):
        cells = " | ".join(_between(hidden[f"{order} {kind}"], 1) for kind in ("hidden", "shown"))
        lines.append(f"| {'anywhere, at random' if order == 'random' else order} | {cells} |")
    return "\n".join(lines) + "\n"


def localised(results: Path = LOCALISATION.parent) -> str:
    """Return what the charge for leaving a region does, beside the paper's form and no attention."""
    comparison = Comparison(read_records(results))
    ours, paper, none = (("outside", "masks"), ("pse_conv", "masks"), ("none", "hirescam"))

    (seeds,) = {len(comparison.looks[through]) for through in (none, paper, ours)}

    def looked(name: str, of: Score) -> str:
        cells = (with_bounds(comparison.look(through, of), signed=False) for through in (none, paper, ours))
        return f"| {name} | {' | '.join(cells)} |"

    def scored(name: str, metric: Metric) -> str:
        cells = (with_bounds(comparison.score_less(through[0], "none", metric)) for through in (paper, ours))
        return f"| {name} | | {' | '.join(cells)} |"

    lines = [
        f"| {counted(seeds, 'seed')}, 95 % intervals | no attention, HiResCAM | PSE(b), its masks "
        "| with the charge, its masks |",
        "|---|---|---|---|",
        looked("own", OWN),
        looked("others", OTHERS),
        looked("own less others", APART),
        *(looked(f"own less others, {name}", apart_in(name)) for name in ("nose", "cheeks and ears", "mouth", "chin")),
        looked("pointing", POINTING),
        looked("points lost by hiding where it is highest, more than at random", LOST),
        scored("accuracy less no attention's, points", METRICS[0]),
        scored("balanced accuracy less no attention's, points", METRICS[1]),
    ]
    return "\n".join(lines) + "\n"


def conditions(results: Path = LOCALISATION.parent) -> str:
    """Return what stays of it where rate, pooling or scale is another."""
    lines = [
        "| changed | seeds | own less others, PSE(b) | with the charge | accuracy, with it less PSE(b) "
        "| PSE(b) less no attention |",
        "|---|---|---|---|---|---|",
    ]
    for words, each in compared(Comparison(read_records(results))).items():
        looks = [with_bounds(each.look((name, "masks"), APART), signed=False) for name in ("pse_conv", "outside")]
        pairs = (("outside", "pse_conv"), ("pse_conv", "none"))
        scores = [with_bounds(each.score_less(*pair, METRICS[0])) for pair in pairs]
        lines.append(f"| {' | '.join([words, str(len(each.cells['pse_conv'])), *looks, *scores])} |")
    return "\n".join(lines) + "\n"


def _between(estimate: list[float], digits: int = 2) -> str:
    mean, low, high = (f"{value:.{digits}f}" for value in estimate)
    return f"{mean} ({low} to {high})"
