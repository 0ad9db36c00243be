"""The page for everybody: by keyboard, heard, in the dark, on a phone, and with a token."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from browsers import sync_api
from servers import PATIENCE, Server, serving
from using import pictures, search, serious

expect = sync_api.expect


def test_everything_is_reached_by_keyboard(page: sync_api.Page) -> None:
    page.locator("#to-search").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.type("young")
    page.keyboard.press("Enter")
    expect(page.locator("#results li")).to_have_count(12)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.locator("#results button:focus").count():
            break
    page.keyboard.press("Enter")
    expect(page.locator("#detail")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_in_the_way_of_anybody(
    page: sync_api.Page, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_input_files("#files", pictures(tmp_path, 2))
    expect(page.locator("#busy")).to_be_empty()
    expect(page.locator("#face .bars li")).to_have_count(40)
    for section in ("look", "search", "summary"):
        page.locator(f"#to-{section}").click()
        if section == "search":
            search(page, "young")
            expect(page.locator("#results li")).to_have_count(12)
        if section == "summary":
            expect(page.locator("#shares .bars li")).to_have_count(40)
        assert not serious(page), section
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0], section


@pytest.fixture(scope="module")
def secret(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks for a token."""
    log = tmp_path_factory.mktemp("secret") / "log"
    with serving(log, library, "--workers", 1, FACELOCUS_TOKEN="s3cret") as server:
        yield server


def test_the_token_is_asked_for_once(browser: sync_api.Browser, secret: Server) -> None:
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(secret.url)
    page.locator("#token").fill("s3cret\u200b")  # no header can carry that
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#asks")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("Escape")
    expect(page.locator("#asks")).to_be_visible()
    page.locator("#token").fill("wrong")
    page.get_by_role("button", name="Go on").click()
    page.locator("#token").fill("s3cret")
    page.get_by_role("button", name="Go on").click()
    search(page, "young")
    expect(page.locator("#results li")).to_have_count(12)
    expect(page.locator("#results img[src^='blob:']").first).to_be_visible()
    page.close()


@pytest.mark.parametrize("address", ["/", "/?local"])
def test_the_networks_are_fetched_with_the_token(
    browser: sync_api.Browser, secret: Server, tmp_path: Path, address: str
) -> None:
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(secret.url + address)
    page.locator("#token").fill("s3cret")
    page.get_by_role("button", name="Go on").click()
    if address == "/":
        page.locator("#to-search").wait_for()
        page.locator("#here").check()
    page.locator("#here:checked").wait_for()
    page.set_input_files("#files", pictures(tmp_path, 1))
    expect(page.locator("#face .bars li")).to_have_count(40, timeout=1000 * PATIENCE)
    page.close()
