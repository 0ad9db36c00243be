"""What --model may name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facelocus.model import Predictor


def open_model(name: str) -> Predictor:
    """Open a shipped model by name, a model file by path, or a finished run by its folder, which needs the lab.

    Raises:
        ModelFileError: there is none, or it cannot be used.
        MissingExtraError: a run, where only the camera is installed.
    """
    from facelocus.model import Model, shipped_models

    if name in shipped_models() or not Path(name).is_dir():
        return Model.load(name)
    from facelocus.cli.lab import require_lab

    require_lab()
    from facelocus.training.run import load_run

    return load_run(Path(name))
