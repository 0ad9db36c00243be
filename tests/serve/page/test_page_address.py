"""The address of what is shown: reloaded, gone back to and sent it is the same."""

from __future__ import annotations

from browsers import sync_api
from using import search

expect = sync_api.expect


def names(page: sync_api.Page) -> list[str]:
    expect(page.locator("#results li")).to_have_count(12)
    return page.locator("#results b").all_inner_texts()


def test_a_search_in_its_order_is_reloaded_and_sent(page: sync_api.Page) -> None:
    search(page, "young")
    page.locator("#order").select_option(label="most Smiling")
    expect(page.locator("#understood")).to_contain_text("by smiling")
    expect(page).to_have_url("/?q=young%3B+by+smiling")
    found = names(page)
    page.reload()
    assert names(page) == found
    expect(page.locator("#query")).to_have_value("young; by smiling")
    expect(page.locator("#order")).to_have_value("by smiling")
    expect(page.locator("#terms button")).to_have_count(2)
    page.goto("about:blank")
    page.goto("/?q=young%3B%20by%20smiling")
    assert names(page) == found


def test_back_and_forward_lead_through_searches_pictures_and_sections(page: sync_api.Page) -> None:
    search(page, "by smiling")
    by_smiling = names(page)
    search(page, "by young")
    expect(page.locator("#understood")).to_contain_text("by young")
    page.locator("#results button").nth(2).click()
    expect(page.locator("#detail")).to_be_visible()
    title = page.locator("#detail-title").inner_text()
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#count")).to_have_text(f"11 pictures like {title}")
    page.locator("#to-summary").click()
    expect(page.locator("#shares .bars li")).to_have_count(40)

    page.go_back()
    expect(page.locator("#count")).to_have_text(f"11 pictures like {title}")
    page.go_back()
    expect(page.locator("#detail")).to_be_visible()  # closed it keeps its title
    expect(page.locator("#detail-title")).to_have_text(title)
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()
    expect(page.locator("#query")).to_have_value("by young")
    page.go_back()
    expect(page.locator("#query")).to_have_value("by smiling")
    assert names(page) == by_smiling
    page.go_back()
    page.go_back()
    expect(page.locator("#look")).to_be_visible()
    page.go_forward()
    page.go_forward()
    assert names(page) == by_smiling


def test_an_opened_picture_is_reloaded_sent_and_closed(page: sync_api.Page) -> None:
    search(page, "by young")
    page.locator("#results button").nth(3).click()
    expect(page.locator("#detail")).to_be_visible()
    title = page.locator("#detail-title").inner_text()
    link = page.url
    page.reload()
    expect(page.locator("#detail-title")).to_have_text(title)
    page.keyboard.press("Escape")
    expect(page).to_have_url("/?q=by+young")
    names(page)
    # Closed is gone back: forward opens it again.
    page.go_forward()
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#detail-title")).to_have_text(title)

    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#detail-title")).to_have_text(title)
    page.get_by_role("button", name="Close").click()
    expect(page).to_have_url("/?q=by+young")
    names(page)


def test_addresses_of_what_is_not_there_say_so(page: sync_api.Page) -> None:
    page.goto("/?q=smilin")
    expect(page.locator("#understood")).to_have_class("wrong")
    page.goto("/?q=young&picture=99999")
    expect(page.locator("#trouble")).to_contain_text("99999")
    names(page)
    page.goto("/?like=none")
    expect(page.locator("#trouble")).to_be_visible()


def test_a_page_just_opened_asks_for_no_more_than_it_needs(page: sync_api.Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.split("/")[-1]))
    page.goto("/")
    expect(page.locator("#add option")).to_have_count(41)
    page.wait_for_load_state("networkidle")
    assert not {"detail.js", "summary.js", "webp.js", "worker.js"} & set(asked)
    assert len(asked) <= 18, asked
