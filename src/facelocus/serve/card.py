"""What a model says of itself to who asks over HTTP."""

from __future__ import annotations

from typing import Any

import numpy as np

from facelocus import __version__
from facelocus.attributes import FRAME, MEANINGS
from facelocus.images.seen import seen_share
from facelocus.model import Model


def card_of(model: Model, library: bool) -> dict[str, Any]:
    """Return it JSON-ready; `library`: whether one can be searched beside it."""
    attributes = model.attributes
    masks = model.predict(np.zeros((0, *FRAME), np.uint8)).masks
    return {
        "name": model.name,
        "sha256": model.sha256,
        "version": __version__,
        "attributes": list(attributes.names),
        "regions": list(attributes.regions),
        "region_of": dict(zip(attributes.names, attributes.region_of, strict=True)),
        "thresholds": {kind: values.tolist() for kind, values in model.thresholds.items()},
        "mask": None if masks is None else list(masks.shape[2:]),
        "frame": list(FRAME),
        "seen": list(seen_share(model.metadata["network"])),
        "meanings": {name: MEANINGS[name] for name in attributes.names if name in MEANINGS},
        "licence": str(model.metadata.get("licence", "")),
        "library": library,
    }
