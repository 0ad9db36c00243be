"""A short run in a process of its own: python child.py RECIPE.json PACK RUN [ACTION STEP].

After each step it saves. ACTION is done in the middle of step STEP of this process: "kill" ends the process as SIGKILL
does, "sleep" says "ready" and waits to be killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import torch

from facelocus.cli import _exit
from facelocus.data import Pack
from facelocus.errors import FacelocusError
from facelocus.nn.backbones import TRUNKS
from facelocus.training import log, loop
from facelocus.training.folder import FINISHED
from facelocus.training.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parents[1]))
from tiny_trunk import TinyTrunk


def main(recipe: str, pack: str, run: str, action: str = "", step: str = "0") -> None:
    # torchrun terminates the others when one has died: they could not always say why they end.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    torch.set_num_threads(1)
    TRUNKS["tiny"] = TinyTrunk
    log.LOG_EVERY, log.SAVE_EVERY = 3, 0.0
    real, calls = loop.attribute_losses, 0

    def losses(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if action and calls == int(step):
            if action == "sleep":
                print("ready", flush=True)
                time.sleep(600)
            elif os.environ.get("RANK", "0") == "1" or "RANK" not in os.environ:
                os.kill(os.getpid(), signal.SIGKILL)
        return real(logits, labels)

    loop.attribute_losses = losses
    chosen = Recipe.from_json(json.loads(Path(recipe).read_text()))
    device = torch.device("cpu")
    try:
        loop.train(chosen, Pack.open(Path(pack)), Path(run), name="tiny", device=device, progress=False)
    except FacelocusError as error:
        _exit(str(error), error.exit_code)
    if not (Path(run) / FINISHED).exists():
        _exit("train came back before the run was finished", 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
