"""The page, used as people do: pictures chosen, faces and masks switched, words typed, terms taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browsers import chromium
from servers import PATIENCE, Server, serving
from test_pictures import photograph

expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """The page as it is when it has just been opened; at the end nothing may have gone wrong, or to another host."""
    opened = browser.new_page()
    opened.set_default_timeout(1000 * PATIENCE)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    allowed = (server.url, "blob:")
    opened.on("request", lambda request: None if request.url.startswith(allowed) else wrong.append(request.url))
    opened.goto(server.url)
    expect(opened.get_by_role("button", name="Search", exact=True).first).to_be_visible()
    yield opened
    opened.close()
    assert not wrong


def pictures(folder: Path, count: int) -> list[str]:
    files = []
    for k in range(count):
        file = folder / f"person {k}.png"
        file.write_bytes(photograph(10 + k))
        files.append(str(file))
    return files


def search(page: Page, words: str) -> None:
    page.locator("#to-search").click()
    page.locator("#query").fill(words)
    page.locator("#query").press("Enter")


def serious(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    grave = [each for each in found if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {each['nodes'][0]['target']}" for each in grave]


def test_a_picture_shows_its_face_its_attributes_and_where_the_network_looked(page: Page, tmp_path: Path) -> None:
    page.set_input_files("#files", pictures(tmp_path, 1))
    expect(page.locator("#stage button")).to_have_count(1)
    expect(page.locator("#face .bars li")).to_have_count(40)
    expect(page.locator("#face")).to_contain_text("Trust")
    canvas = page.locator("#face canvas")
    plain = canvas.screenshot()
    page.get_by_role("radio", name="eyes").check()
    expect(canvas).to_have_attribute(
        "aria-label", "Where the network looked for eyes: " + page.locator(".scale span").inner_text()
    )
    over = canvas.screenshot()
    assert over != plain
    page.get_by_label("Opacity").fill("0")
    assert canvas.screenshot() == plain
    page.get_by_label("Opacity").fill("1")
    page.get_by_role("radio", name="nothing").check()
    assert canvas.screenshot() == plain


def test_several_pictures_one_of_them_broken(page: Page, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    page.set_input_files("#files", [*pictures(tmp_path, 2), str(tmp_path / "broken.png")])
    strip = page.locator("#pictures button")
    expect(strip).to_have_count(3)
    expect(page.locator("#busy")).to_be_empty()
    strip.nth(2).click()
    expect(page.locator("#trouble")).to_contain_text("broken.png is not a picture")
    strip.nth(1).click()
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#stage img")).to_have_attribute("alt", "person 1.png")


def test_in_the_browser_alone_nothing_is_sent(page: Page, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#here").check()
    page.set_input_files("#files", pictures(tmp_path, 1))
    expect(page.locator("#stage button")).to_have_count(1)
    expect(page.locator("#face .bars li")).to_have_count(40)
    assert asked and not any("analyze?" in url for url in asked)


def test_a_picture_that_only_the_server_reads_is_described_and_those_behind_it_are(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "person.tiff"
    Image.open(pictures(tmp_path, 1)[0]).save(file)
    page.set_input_files("#files", [str(file), *pictures(tmp_path, 1)])
    expect(page.locator("#face .bars li")).to_have_count(40)
    expect(page.locator("#caption")).to_contain_text("cannot show")
    expect(page.locator("#busy")).to_be_empty()
    page.locator("#pictures button").nth(1).click()
    expect(page.locator("#stage button")).to_have_count(1)


def test_an_order_may_be_said_in_words(page: Page) -> None:
    search(page, "no beard, oldest first")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: no beard; by not young")
    page.locator("#add").select_option(label="Wearing Hat")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: no beard, wearing hat; by not young")
    page.locator("#order").select_option(label="most Smiling")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: no beard, wearing hat; by smiling")
    expect(page.locator("#order")).to_have_value("by smiling")


def test_what_is_typed_is_understood_at_once(page: Page) -> None:
    page.locator("#to-search").click()
    page.locator("#query").press_sequentially("young, no beard")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: young, no beard")
    page.locator("#query").fill("smilin")
    expect(page.locator("#understood")).to_contain_text("nearest are 'smiling'")


def test_terms_are_taken_away_added_and_put_in_order(page: Page) -> None:
    search(page, "young, no beard")
    expect(page.locator("#results li")).to_have_count(12)
    page.get_by_role("button", name="Leave out no beard").click()
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: young")
    page.locator("#add").select_option(label="Smiling")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: young, smiling")
    page.locator("#order").select_option(label="most Wearing Hat")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: young, smiling; by wearing hat")
    page.locator("#order").select_option(label="best match")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: young, smiling")


def test_words_are_offered_and_taken_by_keyboard(page: Page) -> None:
    page.locator("#to-search").click()
    query = page.locator("#query")
    query.press_sequentially("young, eyegl")
    expect(page.locator("#suggestions li")).to_have_count(1)
    query.press("ArrowDown")
    query.press("Enter")
    assert query.input_value() == "young, eyeglasses"
    expect(page.locator("#suggestions")).to_be_hidden()


@pytest.mark.parametrize("typed", ["young woman smil", "not bald, wearing ha"])
def test_words_are_offered_wherever_they_begin(page: Page, typed: str) -> None:
    page.locator("#to-search").click()
    page.locator("#query").press_sequentially(typed)
    expect(page.locator("#suggestions li").first).to_be_visible()


def test_what_is_in_order_says_by_how_much(page: Page) -> None:
    search(page, "by smiling")
    expect(page.locator("#results li")).to_have_count(12)
    said = page.locator("#results .said").all_inner_texts()
    shares = [int(one.split(" %")[0]) for one in said]
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1]
    assert all(f"smiling {share} %" in one for share, one in zip(shares, said, strict=True))


def test_a_picture_of_the_library_its_faces_and_more_like_it(page: Page) -> None:
    search(page, "by smiling")
    page.locator("#results button").first.click()
    expect(page.locator("#detail .bars li")).to_have_count(40)
    assert not serious(page)
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#results li")).to_have_count(11)
    expect(page.locator("#detail")).to_be_hidden()


def test_thumbnails_come_when_they_are_seen(page: Page) -> None:
    search(page, "by young")
    expect(page.locator("#results img[src^='blob:']").first).to_be_visible()


def test_everything_is_reached_by_keyboard(page: Page) -> None:
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


def test_the_summary_has_a_bar_for_every_attribute(page: Page) -> None:
    page.locator("#to-summary").click()
    expect(page.locator("#shares .bars li")).to_have_count(40)
    expect(page.locator("#holds")).to_contain_text("12 pictures with 12 faces")


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_in_the_way_of_anybody(
    page: Page, tmp_path: Path, size: tuple[int, int], scheme: str
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
        assert not serious(page), section
        assert page.evaluate("() => document.documentElement.scrollWidth") <= size[0], section


def test_the_token_is_asked_for_once(browser: Browser, library: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "log", library, "--workers", 1, FACELOCUS_TOKEN="s3cret") as server:
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE)
        page.goto(server.url)
        page.locator("#token").fill("wrong")
        page.get_by_role("button", name="Go on").click()
        page.locator("#token").fill("s3cret")
        page.get_by_role("button", name="Go on").click()
        search(page, "young")
        expect(page.locator("#results li")).to_have_count(12)
        expect(page.locator("#results img[src^='blob:']").first).to_be_visible()
        page.close()
