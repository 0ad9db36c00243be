"""How many steps a recipe takes on some images, and which phase each belongs to."""

from __future__ import annotations

from itertools import accumulate

from facelocus.errors import DataError, UsageError
from facelocus.training.recipe import Recipe


class Plan:
    """The steps of a run.

    Attributes:
        steps: all of them.
        steps_an_epoch: full batches in the training images.
        begins: for each phase its first step.
        ends: for each phase the step before which it ends.

    Args:
        recipe: the run's.
        images: training images.
        processes: that share each batch.

    Raises:
        DataError: the images do not fill one batch.
        UsageError: the phases have no steps, or the processes cannot share a batch equally.
    """

    def __init__(self, recipe: Recipe, images: int, processes: int = 1) -> None:
        if recipe.batch_size % processes:
            fitting = -(-recipe.batch_size // processes) * processes
            raise UsageError(
                f"{processes} processes cannot share a batch of {recipe.batch_size}: set batch_size={fitting}"
            )
        each = images // recipe.batch_size
        if each == 0:
            raise DataError(
                f"{images} training images do not fill one batch of {recipe.batch_size}: set batch_size lower"
            )
        lengths = [max(round(phase.epochs * each), phase.iterations) for phase in recipe.phases]
        self.ends = list(accumulate(lengths))
        self.begins = [end - length for end, length in zip(self.ends, lengths, strict=True)]
        self.steps_an_epoch = each
        self.steps = sum(lengths)
        if self.steps < 1:
            raise UsageError("the recipe has no training steps: give its phases epochs or iterations")

    def phase(self, step: int) -> int:
        """Return the index of the phase of a step."""
        return next(index for index, end in enumerate(self.ends) if step < end)

    def since(self, step: int) -> int:
        """Return how many steps of its phase come before a step."""
        return step - self.begins[self.phase(step)]
