"""No test writes into the user's cache folder."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Move $FACELOCUS_CACHE into a temporary folder."""
    folder = tmp_path_factory.getbasetemp() / "facelocus-cache"
    monkeypatch.setenv("FACELOCUS_CACHE", str(folder))
    return folder
