"""report.md and its figures, from the records of a folder alone."""

from __future__ import annotations

from pathlib import Path

from facelocus.reports.grid.differences import Resamples
from facelocus.reports.grid.page import write_page
from facelocus.reports.paper import figures, module_figures, modules, tables, verdicts
from facelocus.reports.paper.conditions import families
from facelocus.reports.paper.growth import growths
from facelocus.reports.paper.records import read_records


def write_report(folder: Path) -> list[Path]:
    """Write report.md and its figures beside the records of a folder; equal records give equal bytes.

    Returns:
        The files written, the report first; a figure for which there are no records yet is not among them.

    Raises:
        InputError: no such folder, or a file or line of it is damaged; names file and line.
        StorageError: a file cannot be written.
    """
    records = read_records(folder)
    resamples, of = Resamples(records.labels, records.counts), families(records)
    grown, shown = growths(records, resamples), tables.shown_cells(of)
    drawn = {
        "modules.png": module_figures.draw_modules(of, resamples, folder / "modules.png"),
        "controls.png": module_figures.draw_controls(of, resamples, folder / "controls.png"),
        "growth.png": figures.draw_growth(grown, folder / "growth.png"),
        "attributes.png": figures.draw_attributes(shown, folder / "attributes.png"),
    }

    def figure(name: str, about: str) -> str:
        return f"![{about}]({name})" if drawn[name] else ""

    sections = {
        "# The paper's tables and claims, beside our runs": [tables.head(records)],
        "## Verdicts": [verdicts.section(verdicts.verdicts(of, resamples, records.costs, shown))],
        "## Table 1: CelebA": [
            tables.table_1(shown),
            figure("attributes.png", "Accuracy of each attribute: ours, the paper's, and the range of the others"),
        ],
        "## Table 2: LFWA": [tables.table_2()],
        "## Stand-in labels on LFW's pictures, not LFWA": [tables.stand_in(records)],
        "## Modules": [
            figure("modules.png", "Points that each module adds to none, with intervals"),
            modules.modules(of, resamples),
        ],
        "## What modules cost": [modules.costs(records.costs)],
        "## Fair controls": [
            figure("controls.png", "Points that each module adds to none under each condition, with intervals"),
            modules.controls(of, resamples),
        ],
        "## Growth with training images": [
            figure("growth.png", "Accuracy by training images with its fit, out to all of CelebA's"),
            modules.growth(grown),
        ],
        "## All runs": [tables.run_list(records)],
    }
    return write_page(folder, sections, drawn)
