"""A run again, from what its folder keeps."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facelocus.data.pack import Pack
from facelocus.errors import ModelFileError, UsageError
from facelocus.nn.weights import read_tensors
from facelocus.training.folder import FINISHED
from facelocus.training.recipe import Recipe
from facelocus.training.record import Origin
from facelocus.training.start import Start
from facelocus.training.teachers import Teachers


@dataclass(frozen=True)
class Replay:
    """What to run again.

    Attributes:
        run: the folder of the run.
        recipe: its recipe, settings included.
        record: its record.
        origin: what was asked for.
    """

    run: Path
    recipe: Recipe
    record: dict[str, Any]
    origin: Origin

    @classmethod
    def read(cls, run: Path) -> Replay:
        """Read a run folder.

        Raises:
            ModelFileError: it is not one.
            UsageError: the run was not started by the command, so that nothing says from which data.
        """
        try:
            recipe = Recipe.from_json(json.loads((run / "recipe.json").read_text()))
            record = json.loads((run / "record.json").read_text())
        except (OSError, ValueError) as error:
            raise ModelFileError(f"{run}: not a run folder: name what `facelocus train --to` wrote") from error
        try:
            origin = Origin(**json.loads((run / "origin.json").read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise UsageError(f"{run}: keeps no origin.json: train from its recipe.json by hand") from error
        return cls(run, recipe, record, origin)

    def check_data(self, pack: Pack) -> None:
        """Refuse other data than the run's.

        Raises:
            UsageError: the fingerprint is another.
        """
        if pack.fingerprint != self.record["data"]["fingerprint"]:
            raise UsageError(
                f"{self.origin.data}: is no longer the data of {self.run} ({self.record['data']['description']}): "
                "give the same with --data"
            )

    def check_weights(self, start: Start | None, teachers: Teachers | None) -> None:
        """Refuse other weights than the run started from, and other teachers than it had.

        Raises:
            UsageError: their records are others.
        """
        if self.record["from"] != (start.record if start else None):
            raise UsageError(
                f"{self.origin.start}: is no longer what {self.run} started from: put the same weights there, or train "
                "from its recipe.json by hand"
            )
        if self.record.get("teachers") != (teachers.records if teachers else None):
            raise UsageError(
                f"{', '.join(self.origin.teachers)}: no longer teaches what it taught {self.run}: put the same weights "
                "there, or train from its recipe.json by hand"
            )

    def outcome(self, run: Path) -> str:
        """Return one line that compares the weights of two finished runs, and names what may be the reason."""
        if not (self.run / FINISHED).is_file():
            return f"{self.run} itself is not finished"
        ours, theirs = read_tensors(run / FINISHED)[0], read_tensors(self.run / FINISHED)[0]
        if all(ours[name].equal(theirs[name]) for name in theirs):
            return f"the same weights as {self.run}, bit for bit"
        record = json.loads((run / "record.json").read_text())
        changed = [
            f"{key} {self.record[key]}, now {record[key]}"
            for key in ("commit", "device", "processes", "threads", "versions")
            if self.record[key] != record[key]
        ]
        return f"other weights than {self.run} ({'; '.join(changed) or 'nothing recorded differs'})"
