"""The printed tables: complete, and consistent with their own averages."""

from __future__ import annotations

from statistics import fmean

import pytest

from facelocus.attributes import ATTRIBUTES
from facelocus.reports import published

ACCURACIES = [method for method, column in published.table1().items() if column]


def test_every_method_but_ssp_ssg_has_all_forty_attributes() -> None:
    table = published.table1()
    assert tuple(table) == (*published.OTHERS, *published.OWN) and len(table) == 13
    assert [method for method in table if not table[method]] == ["SSP+SSG"]
    assert all(tuple(table[method]) == ATTRIBUTES for method in ACCURACIES)


@pytest.mark.parametrize("method", ACCURACIES)
def test_a_printed_average_is_the_mean_of_its_column(method: str) -> None:
    assert fmean(published.table1()[method].values()) == pytest.approx(published.averages()[method], abs=0.01)


def test_ssp_ssg_has_its_printed_average_alone() -> None:
    assert published.averages()["SSP+SSG"] == 81.45
    assert published.averages()["PSE(b)-SE"] - published.averages()["SSP+SSG"] == pytest.approx(9.78)


def test_table_2_has_the_four_printed_averages() -> None:
    assert published.table2() == {"SSP+SSG": 85.28, "LNets+ANet": 84.0, "Baseline-Alex": 84.1, "PSE(b)-Alex": 84.45}
