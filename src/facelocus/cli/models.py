"""What --model may name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from facelocus.errors import ModelFileError

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


def refuse_no_masks(predictor: Predictor, name: str) -> None:
    """Refuse a model without masks; asked is the network, of a black face: a description may say what is not there.

    Raises:
        ModelFileError: it has none.
    """
    import numpy as np

    from facelocus.attributes import FRAME

    if predictor.predict(np.zeros((1, *FRAME), np.uint8)).masks is None:
        raise ModelFileError(
            f"{name}: has no masks: name a model with PSE, trained with network.attention=pse_conv, say"
        )
