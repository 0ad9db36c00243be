"""How many steps a recipe takes on some images, and which phase each belongs to."""

from __future__ import annotations

from facelocus.errors import DataError, UsageError
from facelocus.training.recipe import Recipe


class Plan:
    """The steps of a run.

    Attributes:
        steps: all of them.
        steps_an_epoch: full batches in the training images.
        ends: for each phase the step before which it ends.

    Raises:
        DataError: the images do not fill one batch.
        UsageError: the phases have no steps.
    """

    def __init__(self, recipe: Recipe, images: int) -> None:
        each = images // recipe.batch_size
        if each == 0:
            raise DataError(
                f"{images} training images do not fill one batch of {recipe.batch_size}: set batch_size lower"
            )
        self.ends: list[int] = []
        for phase in recipe.phases:
            length = round(phase.epochs * each) if phase.epochs else phase.iterations
            self.ends.append((self.ends[-1] if self.ends else 0) + length)
        self.steps_an_epoch = each
        self.steps = self.ends[-1] if self.ends else 0
        if self.steps < 1:
            raise UsageError("the recipe has no training steps: give its phases epochs or iterations")

    def phase(self, step: int) -> int:
        """Return the index of the phase of a step."""
        return next(index for index, end in enumerate(self.ends) if step < end)

    def since(self, step: int) -> int:
        """Return how many steps of its phase come before a step."""
        phase = self.phase(step)
        return step - (self.ends[phase - 1] if phase else 0)
