"""report.md and its figures, from the records of a folder alone."""

from __future__ import annotations

from pathlib import Path

from facelocus.reports.grid.page import write_page
from facelocus.reports.localisation import conditions, course, figures, region_figure, tables, variant_tables, verdicts
from facelocus.reports.localisation.comparison import Comparison
from facelocus.reports.localisation.records import read_records


def write_report(folder: Path) -> list[Path]:
    """Write report.md and its figures beside the records of a folder; equal records give equal bytes.

    Returns:
        The files written, the report first; a figure for which there are no records yet is not among them.

    Raises:
        InputError: no such folder, a file or line of it is damaged, or its runs may not be compared; names the file.
        StorageError: a file cannot be written.
    """
    records = read_records(folder)
    comparison = Comparison(records)
    changed = conditions.compared(comparison)
    drawn = {
        "regions.png": region_figure.draw_regions(records, comparison, folder / "regions.png"),
        "variants.png": figures.draw_variants(comparison, folder / "variants.png"),
        "free.png": figures.draw_free(comparison, folder / "free.png"),
        "training.png": course.draw_course(records, folder / "training.png"),
    }

    def figure(name: str, about: str) -> str:
        return f"![{about}]({name})" if drawn[name] else ""

    sections = {
        "# Does a sub-network look at its region?": [tables.head(records)],
        "## Verdicts": [verdicts.section(verdicts.verdicts(records, comparison, changed))],
        "## The regions, and a check of them": [
            figure("regions.png", "How much of each region's own map lies on it, and of the others"),
            tables.regions(records),
        ],
        "## The shipped model": [tables.shipped(records)],
        "## Variants": [
            figure("variants.png", "Localisation, loss by hiding, and accuracy of each variant, with intervals"),
            variant_tables.variants(comparison),
        ],
        "## Rate, scale and pooling": [conditions.section(changed)],
        "## What one gets for free": [
            figure("free.png", "Masks, HiResCAM and Grad-CAM of each network, with intervals"),
            variant_tables.free(comparison),
        ],
        "## While training": [
            figure("training.png", "Masks and their slopes by steps, with and without the BatchNorm"),
            course.course(records),
        ],
        "## All runs": [tables.run_list(records)],
    }
    return write_page(folder, sections, drawn)
