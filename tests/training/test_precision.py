"""A recipe says in what numbers it runs, or leaves it to what the device multiplies."""

from __future__ import annotations

import pytest
import torch

from facelocus.training.precision import precision_on

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(("avx512", "amx"), [(False, False), (True, False), (False, True)])
def test_auto_is_bf16_where_the_device_multiplies_it(avx512: bool, amx: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert precision_on(CPU, "auto") == ("bf16" if avx512 or amx else "fp32")


@pytest.mark.parametrize("native", [False, True])
def test_auto_does_not_take_an_older_gpus_emulation(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation)
    assert precision_on(GPU, "auto") == ("bf16" if native else "fp32")


@pytest.mark.parametrize("said", ["bf16", "fp32"])
def test_what_a_recipe_says_holds_everywhere(said: str) -> None:
    assert precision_on(CPU, said) == precision_on(GPU, said) == said
