"""Draw the page as it looks, for the documentation: the sample portrait, and a library of drawn faces.

    python benchmarks/serve/page_pictures.py docs

writes page_look.png and page_search.png. Needs playwright and a Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import matplotlib
from playwright.sync_api import sync_playwright

sys.path[:0] = [str(Path(__file__).parents[2] / "tests"), str(Path(__file__).parents[2] / "tests" / "serve")]

from facelocus.model import Model  # noqa: E402
from libraries import draw, index  # noqa: E402
from servers import serving  # noqa: E402

PORTRAIT = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the page as it looks.")
    parser.add_argument("to", type=Path)
    to: Path = parser.parse_args().to
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        place = Path(folder)
        for seed in range(24):
            draw(place / "pictures" / f"face {seed}.png", seed)
        index(place / "pictures", place / "library", Model.load())
        browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with serving(place / "log", place / "library") as server:
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(server.url)
            page.locator("#to-search").wait_for()
            # The portrait, and where the network looked for its eyes.
            page.set_input_files("#files", str(PORTRAIT))
            page.locator("#face canvas").wait_for()
            page.get_by_role("radio", name="eyes").check()
            page.screenshot(path=to / "page_look.png")
            page.locator("#to-search").click()
            page.locator("#query").fill("young woman, no glasses")
            page.locator("#query").press("Enter")
            page.locator("#results img[src^='blob:']").nth(13).wait_for()
            page.screenshot(path=to / "page_search.png")


if __name__ == "__main__":
    main()
