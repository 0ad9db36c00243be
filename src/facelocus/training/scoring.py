"""Validation while training, and the end of a run: the network that was measured is the one that is kept."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from facelocus.data.pack import Pack, copied
from facelocus.files import write_atomically
from facelocus.metrics import choose_thresholds
from facelocus.metrics.accuracy import Confusion, mean_over_attributes
from facelocus.metrics.label_shift import LabelShift
from facelocus.nn.weights import round_to_half, save_tensors
from facelocus.training.checkpoint import State
from facelocus.training.folder import FINISHED
from facelocus.training.precision import precision_on
from facelocus.training.recipe import Recipe
from facelocus.training.run import RunModel
from facelocus.training.world import World


def validate(state: State, pack: Pack, recipe: Recipe, world: World) -> dict[str, float]:
    """Score the moving average on the validation rows at a threshold of one half; percent."""
    rows = pack.rows("validation")
    network = state.network
    current = {key: value.clone() for key, value in network.state_dict().items()}
    network.load_state_dict(state.average.tensors)
    try:
        precision = precision_on(network.logit_bias.device, recipe.precision)
        probabilities = _predict(RunModel(network, precision=precision), pack, rows, world)
    finally:
        network.load_state_dict(current)
    counts = Confusion.count(pack.labels[rows], probabilities, 0.5)
    return {
        "mean_accuracy": round(100 * float(mean_over_attributes(counts.accuracy)), 4),
        "mean_balanced_accuracy": round(100 * float(mean_over_attributes(counts.balanced_accuracy)), 4),
    }


def finish(run: Path, pack: Pack, state: State, record: dict[str, Any], world: World) -> None:
    """Round the average to half precision, choose thresholds with exactly that network, and keep both."""
    network = state.network
    rounded = round_to_half(state.average.tensors)
    network.load_state_dict(rounded)
    network.set_input_size(network.spec.size, network.spec.crop)
    rows = pack.rows("validation")
    labels = pack.labels[rows]
    probabilities = _predict(RunModel(network), pack, rows, world)
    if not world.leads:
        return
    shift = _shift(pack, pack.rows("train"), rows)
    with io.BytesIO() as buffer:
        np.savez_compressed(
            buffer, rows=rows, labels=labels, probabilities=probabilities, shift=shift.shift, noise=shift.noise
        )
        write_atomically(run / "validation.npz", buffer.getvalue())
    thresholds = choose_thresholds(labels, probabilities)
    description = {
        "network": msgspec.to_builtins(asdict(network.spec)),
        "attributes": network.attributes.to_json(),
        "thresholds": {kind: values.tolist() for kind, values in thresholds.items()},
        "training": record,
    }
    write_atomically(run / "record.json", json.dumps(record, indent=1))
    save_tensors(rounded, description, run / FINISHED)


def _shift(pack: Pack, training: npt.NDArray[np.int64], validation: npt.NDArray[np.int64]) -> LabelShift:
    # Distorted copies of a face are no labels of their own.
    people = np.unique(list(map(copied, pack.names)), return_inverse=True)[1] if pack.people is None else pack.people
    return LabelShift.measure(pack.labels[training], pack.labels[validation], people[training], people[validation])


def _predict(model: RunModel, pack: Pack, rows: npt.NDArray[np.int64], world: World) -> npt.NDArray[np.float32]:
    """Return the probabilities of all rows, of which each process computes a part."""
    return world.join(model.predict_rows(pack, np.array_split(rows, world.size)[world.rank]))
