"""Steps and phases: how long a run is, and where each step stands."""

from __future__ import annotations

import pytest

from facelocus.errors import DataError, UsageError
from facelocus.training.plan import Plan
from facelocus.training.recipe import Phase, Recipe


def test_epochs_count_full_batches_and_iterations_count_themselves() -> None:
    plan = Plan(Recipe(phases=(Phase(epochs=1.5), Phase(iterations=4)), batch_size=10), 29)
    assert (plan.steps_an_epoch, plan.ends, plan.steps) == (2, [3, 7], 7)
    assert [plan.phase(step) for step in range(7)] == [0, 0, 0, 1, 1, 1, 1]


def test_steps_of_a_phase_start_at_zero() -> None:
    plan = Plan(Recipe(phases=(Phase(iterations=2), Phase(iterations=3)), batch_size=2), 2)
    assert [plan.since(step) for step in range(5)] == [0, 1, 0, 1, 2]


def test_too_few_images_and_empty_recipes_are_refused() -> None:
    with pytest.raises(DataError, match="9 training images do not fill one batch of 10"):
        Plan(Recipe(phases=(Phase(epochs=1),), batch_size=10), 9)
    with pytest.raises(UsageError, match="no training steps"):
        Plan(Recipe(phases=(), batch_size=10), 10)
