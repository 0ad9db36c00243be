"""What training on several cards costs is reckoned on paper from the networks that recipes train."""

from __future__ import annotations

import pytest

import sharding
from h100_count import PARAMETERS


def test_the_papers_network_has_the_parameters_of_its_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "alexnet_cvgj, PSE(b)"
    monkeypatch.setattr(sharding, "NETWORKS", {name: sharding.NETWORKS[name]})
    paper = sharding.on_paper()[name]
    assert paper["parameters"] == PARAMETERS
    assert paper["gradient_bytes"] == 4 * PARAMETERS
    for link, (cards, speed) in sharding.LINKS.items():
        moved = 2 * (cards - 1) / cards * 4 * PARAMETERS
        assert abs(paper[link]["milliseconds"] - 1e3 * moved / speed) < 0.001
