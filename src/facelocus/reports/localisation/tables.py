"""Sections of the report: what there is, the regions and their check, the shipped model, all runs."""

from __future__ import annotations

from facelocus.reports.grid.markdown import counted, listed, table
from facelocus.reports.localisation.looks import (
    MAPS,
    Look,
    Mean,
    RegionLook,
)
from facelocus.reports.localisation.records import Records
from facelocus.reports.localisation.runs import VARIANTS

GRID = "facelocus grid localisation_small --data CELEBA --to runs --results results/localisation"
LOOK = (
    "python benchmarks/localisation/localisation.py CELEBA runs/localisation_small/*/*/* "
    "--results results/localisation/masks.jsonl"
)
LOCALISE = "facelocus localise CELEBA --model default --json results/localisation/default.json"
CHECK = (
    "python benchmarks/localisation/regions_check.py CELEBA --json results/localisation/regions.json "
    "--figure docs/regions_check.png"
)


def none_yet(*commands: str) -> str:
    """Say that there are no records, and what makes them."""
    return "No records yet; made by\n\n```\n" + "\n".join(commands) + "\n```"


def head(records: Records) -> str:
    """Say what the report is, and which data and runs it rests on."""
    text = (
        "Written by `facelocus report localisation` from the records beside it alone: `runs.jsonl` and `people/`, a "
        "run each; `masks.jsonl`, where each looks; `default.json`, where the shipped model looks; `regions.json`, a "
        "check of the regions; `training.json`, masks while a network learns. The same records give the same bytes."
    )
    if records.runs:
        run, seeds = records.runs[0], sorted({str(run.seed) for run in records.runs})
        there = {run.variant for run in records.runs}
        missing = [variant.words for name, variant in VARIANTS.items() if name not in there]
        text += (
            f"\n\n**Runs.** {counted(len(records.runs), 'run')} of `{run.trunk}`, seeds {listed(seeds)}: "
            f"{run.iterations:,} iterations on {run.data.training_images:,} images of {run.data.description}, measured "
            f"on {run.test.images:,} test faces of {run.test.people:,} people, in "
            f"{sum(run.seconds for run in records.runs) / 3600:.1f} hours on "
            f"{listed(sorted({run.device for run in records.runs}))}."
        )
        text += f" Not there yet: {listed(missing)}." if missing else ""
    if records.looks:
        look = records.looks[0]
        networks = len({look.run for look in records.looks})
        text += (
            f"\n\n**Looks.** {counted(networks, 'network')} on {look.faces:,} test faces of {look.people:,} people, of "
            f"which {look.faithfulness.faces:,} are hidden and shown in parts."
        )
    return text


def regions(records: Records) -> str:
    """Return how the regions that were drawn lie against what pixels and labels alone say."""
    text = (
        "Each region is a map over the aligned frame, drawn from landmarks and a mean head, never from a mask "
        "(`docs/regions.png`). The check uses no network: the pixels of training faces are regressed on "
        "all labels at once, and where a region's attributes show is set against where the region was drawn."
    )
    if records.regions is None:
        return f"{text}\n\n{none_yet(CHECK)}"
    rows = [
        (name, f"{row.own:.2f}", f"{row.others:.2f}", "yes" if row.own > row.others else "no",
         "yes" if row.inside else "no")
        for name, row in records.regions.regions.items()
    ]  # fmt: skip
    agreeing = sum(row.own > row.others for row in records.regions.regions.values())
    header = ("region", "own", "others", "own above others", "highest inside")
    return (
        f"{text} {counted(records.regions.faces, 'face')}: **{agreeing} of {len(rows)} regions hold what shows their "
        f"attributes more than what shows the others'.**\n\n{table(header, rows)}"
    )


def shipped(records: Records) -> str:
    """Return where the shipped model looks, by region, and what hiding and showing parts does."""
    look = records.shipped
    if look is None:
        return none_yet(LOCALISE)
    rows_of: dict[str, Look | RegionLook] = {"all": look, **look.regions}
    rows = [
        (name, *map(_mean, (row.own, row.others, row.own_less_others, row.pointing)), f"{row.pointing_by_chance:.2f}")
        for name, row in rows_of.items()
    ]  # fmt: skip
    hidden = look.faithfulness
    parts = [
        (name, _mean(kept), _mean(alone))
        for name, kept, alone in (
            ("highest", hidden.highest_hidden, hidden.highest_shown),
            ("lowest", hidden.lowest_hidden, hidden.lowest_shown),
            ("at random", hidden.random_hidden, hidden.random_shown),
        )
    ]
    header = ("region", "own", "others", "own less others", "pointing", "by chance")
    return (
        f"`{look.model.name}` ({look.model.sha256[:8]}) on {look.faces:,} test faces of {look.people:,} people, with "
        "95 % intervals over people. Pointing is how often a mask's highest cell is inside its region. Two masks of "
        f"one face correlate {_mean(look.likeness_of_two_masks)}; 1 is eight sub-networks with one mask.\n\n"
        f"{table(header, rows)}\n\n"
        f"Right answers in percent on {hidden.faces} faces with a fifth of the frame blurred, or all but it; whole "
        f"it is {_mean(hidden.whole)}:\n\n"
        f"{table(('the fifth where the mask is', 'hidden', 'shown alone'), parts)}"
    )


def run_list(records: Records) -> str:
    """Return every run with its scores, for verdicts to be traced to."""
    if not records.runs:
        return none_yet(GRID)
    rows = [
        (f"`{run.run}`", f"{run.validation.mean_accuracy_at_half:.2f}", f"{run.test.mean_accuracy_at_half:.2f}",
         f"{run.test.mean_balanced_accuracy:.2f}",
         ", ".join(MAPS[look.maps] for look in records.looks if look.run == run.run) or "not yet")
        for run in records.runs
    ]  # fmt: skip
    header = ("run", "validation accuracy", "accuracy", "balanced accuracy", "looked at through")
    return table(header, rows)


def _mean(value: Mean) -> str:
    mean, low, high = (f"{each:.2f}" for each in value)
    return f"{mean} [{low}, {high}]"
