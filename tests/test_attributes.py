"""The forty attributes are those of CelebA's label file, and each is explained."""

from __future__ import annotations

from facelocus.attributes import CELEBA, MEANINGS


def test_every_attribute_has_a_meaning() -> None:
    assert tuple(MEANINGS) == CELEBA.names
