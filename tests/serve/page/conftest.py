from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from servers import PATIENCE, Server

if TYPE_CHECKING:
    from browsers import sync_api


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    from browsers import chromium

    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: sync_api.Browser, server: Server) -> Iterator[sync_api.Page]:
    """The page as it is when it has just been opened; at the end nothing may have gone wrong, or to another host."""
    from browsers import sync_api

    sync_api.expect.set_options(timeout=1000 * PATIENCE)
    opened = browser.new_page(base_url=server.url)
    opened.set_default_timeout(1000 * PATIENCE)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    allowed = (server.url, "blob:", "about:")
    opened.on("request", lambda request: None if request.url.startswith(allowed) else wrong.append(request.url))
    opened.goto("/")
    sync_api.expect(opened.locator("#to-search")).to_be_visible()
    yield opened
    opened.close()
    assert not wrong
