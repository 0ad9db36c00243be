"""What several tests of the page do."""

from __future__ import annotations

from pathlib import Path

import pytest

from browsers import sync_api
from test_pictures import photograph

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")


def pictures(folder: Path, count: int) -> list[str]:
    """Write photographs of drawn faces; return their files."""
    files = []
    for k in range(count):
        file = folder / f"person {k}.png"
        file.write_bytes(photograph(10 + k))
        files.append(str(file))
    return files


def search(page: sync_api.Page, words: str) -> None:
    """Type a query and press Enter."""
    page.locator("#to-search").click()
    page.locator("#query").fill(words)
    page.locator("#query").press("Enter")


def serious(page: sync_api.Page) -> list[str]:
    """Return what axe-core finds serious or critical."""
    found = axe.Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {each['nodes'][0]['target']}" for each in grave]
