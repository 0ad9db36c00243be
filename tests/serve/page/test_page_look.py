"""Pictures looked at, as people do: chosen, faces and masks switched, meanings read."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from browsers import sync_api
from using import pictures, serious

expect = sync_api.expect


def test_a_picture_shows_its_face_its_attributes_and_where_the_network_looked(
    page: sync_api.Page, tmp_path: Path
) -> None:
    page.set_input_files("#files", pictures(tmp_path, 1))
    expect(page.locator("#stage button")).to_have_count(1)
    expect(page.locator("#face .bars li")).to_have_count(40)
    expect(page.locator("#face")).to_contain_text("Trust")
    canvas = page.locator("#face canvas")
    plain = canvas.screenshot()
    expect(page.locator(".scale")).to_be_hidden()
    page.get_by_role("radio", name="eyes").check()
    expect(page.locator(".scale span")).to_contain_text("no colour at its mean")
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


def test_several_pictures_one_of_them_broken(page: sync_api.Page, tmp_path: Path) -> None:
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


def test_the_picture_chosen_last_is_shown_and_the_keyboard_stays_where_it_was(
    page: sync_api.Page, tmp_path: Path
) -> None:
    page.set_input_files("#files", pictures(tmp_path, 3))
    strip = page.locator("#pictures button")
    expect(page.locator("#busy")).to_be_empty()
    expect(page.locator("#stage img")).to_have_attribute("alt", "person 0.png")
    strip.nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stage img")).to_have_attribute("alt", "person 2.png")
    expect(strip.nth(2)).to_be_focused()
    page.evaluate("""() => {
        const decode = HTMLImageElement.prototype.decode;
        let first = true;
        HTMLImageElement.prototype.decode = async function () {
            if (first) await new Promise((resolve) => { first = false; window.goOn = resolve; });
            return decode.call(this);
        };
    }""")
    strip.nth(0).click()
    strip.nth(1).click()
    expect(page.locator("#stage img")).to_have_attribute("alt", "person 1.png")
    page.evaluate("() => window.goOn()")
    page.wait_for_timeout(300)
    expect(page.locator("#stage img")).to_have_attribute("alt", "person 1.png")


def test_in_the_browser_alone_nothing_is_sent(page: sync_api.Page, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#here").check()
    page.set_input_files("#files", pictures(tmp_path, 1))
    expect(page.locator("#stage button")).to_have_count(1)
    expect(page.locator("#face .bars li")).to_have_count(40)
    assert asked and not any("analyze?" in url for url in asked)


def test_a_picture_that_only_the_server_reads_is_described_and_those_behind_it_are(
    page: sync_api.Page, tmp_path: Path
) -> None:
    file = tmp_path / "person.tiff"
    Image.open(pictures(tmp_path, 1)[0]).save(file)
    page.set_input_files("#files", [str(file), *pictures(tmp_path, 1)])
    expect(page.locator("#face .bars li")).to_have_count(40)
    expect(page.locator("#caption")).to_contain_text("cannot show")
    expect(page.locator("#busy")).to_be_empty()
    page.locator("#pictures button").nth(1).click()
    expect(page.locator("#stage button")).to_have_count(1)


def test_what_an_attribute_means_is_read_by_keyboard_and_heard(page: sync_api.Page, tmp_path: Path) -> None:
    page.set_input_files("#files", pictures(tmp_path, 1))
    name = page.locator("#face .bars .name").first
    name.focus()
    meaning = page.locator(f"#{name.get_attribute('aria-describedby')}")
    expect(meaning).to_be_hidden()
    said = meaning.text_content()
    assert said
    expect(name).to_have_accessible_description(said)
    page.keyboard.press("Enter")
    expect(meaning).to_be_visible()
    expect(name).to_have_attribute("aria-expanded", "true")
    assert not serious(page)
    page.keyboard.press("Enter")
    expect(meaning).to_be_hidden()
    assert page.evaluate("() => new Set([...document.querySelectorAll('.meaning')].map(({ id }) => id)).size") == 40
