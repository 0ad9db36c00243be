"""What --model may name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facelocus.errors import ModelFileError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from facelocus.data import Pack
    from facelocus.model import Predictor
    from facelocus.training.start import Start

_BATCH = 64

ModelName = Annotated[str, typer.Option(help="A shipped name, an .onnx file, or a run's folder (needs the lab).")]


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


def open_start(name: str | None) -> Start | None:
    """Return the weights that --from names: a shipped name, an .onnx file, a run's folder, or what convert made.

    Raises:
        ModelFileError: it is none of them, or damaged.
    """
    from facelocus.training.start import Start

    return None if name is None else Start.read(weights_path(name))


def weights_path(name: str) -> Path:
    """Return where the weights of a shipped name are, or the path that is given."""
    from facelocus.model import shipped_models

    return shipped_models().get(name, Path(name))


def model_record(predictor: Predictor) -> dict[str, Any]:
    """Return what a record of a measurement says of the model."""
    commit = predictor.metadata.get("training", {}).get("commit")
    return {"name": predictor.name, "sha256": predictor.sha256, "commit": commit}


def predict_rows(
    predictor: Predictor, pack: Pack, rows: npt.NDArray[np.int64], flip: bool = False
) -> npt.NDArray[np.float32]:
    """Return the probabilities of rows of a Pack, N x A, with a progress bar; `flip` as Predictor.predict has it."""
    import numpy as np
    from tqdm import tqdm

    parts = []
    with tqdm(total=len(rows), unit="face", disable=None) as progress:
        for start in range(0, len(rows), _BATCH):
            faces = pack.frames(rows[start : start + _BATCH])
            parts.append(predictor.predict(faces, flip=flip).probabilities)
            progress.update(len(faces))
    return np.concatenate(parts)


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
