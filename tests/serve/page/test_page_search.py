"""The library searched, as people do: words typed, parts taken away and added, pictures opened."""

from __future__ import annotations

import pytest

from browsers import sync_api
from using import search, serious

expect = sync_api.expect


def test_an_order_may_be_said_in_words(page: sync_api.Page) -> None:
    search(page, "no beard, oldest first")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: no beard; by not young")
    page.locator("#add").select_option(label="Wearing Hat")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: no beard, wearing hat; by not young")
    page.locator("#order").select_option(label="most Smiling")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: no beard, wearing hat; by smiling")
    expect(page.locator("#order")).to_have_value("by smiling")


def test_what_is_typed_is_understood_at_once(page: sync_api.Page) -> None:
    page.locator("#to-search").click()
    page.locator("#query").press_sequentially("young, no beard")
    expect(page.locator("#understood")).to_have_text("Understood: at least 1 face: young, no beard")


def seen_red(page: sync_api.Page) -> bool:
    """Whether the line below the query has ever been red, from `watch_for_red` on."""
    return bool(page.evaluate("() => window.red"))


def watch_for_red(page: sync_api.Page) -> None:
    page.evaluate(
        """() => {
          window.red = false;
          const said = document.getElementById("understood");
          const look = () => { window.red ||= said.classList.contains("wrong"); };
          new MutationObserver(look).observe(said, { attributes: true });
        }"""
    )


def test_a_word_half_typed_is_no_fault_until_one_stops(page: sync_api.Page) -> None:
    page.locator("#to-search").click()
    page.clock.install()
    watch_for_red(page)
    said = page.locator("#understood")
    page.locator("#query").press_sequentially("smilin")
    page.clock.run_for(400)
    expect(said).to_have_text("Not a whole query yet …")
    assert not seen_red(page)
    page.clock.run_for(700)
    expect(said).to_contain_text("nearest are 'smiling'")
    expect(said).to_have_class("wrong")
    page.locator("#query").press_sequentially("x")
    expect(said).not_to_have_class("wrong")


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_what_is_wrong_is_said_at_once_to_who_goes_on(page: sync_api.Page, key: str) -> None:
    page.locator("#to-search").click()
    page.clock.install()
    page.locator("#query").press_sequentially("smilin")
    page.clock.run_for(400)
    expect(page.locator("#understood")).to_have_text("Not a whole query yet …")
    page.locator("#query").press(key)
    expect(page.locator("#understood")).to_have_class("wrong")
    expect(page.locator("#understood")).to_contain_text("nearest are 'smiling'")
    expect(page.locator("#trouble")).to_be_hidden()


def test_terms_are_taken_away_added_and_put_in_order(page: sync_api.Page) -> None:
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


def test_words_are_offered_and_taken_by_keyboard(page: sync_api.Page) -> None:
    page.locator("#to-search").click()
    query = page.locator("#query")
    query.press_sequentially("young, eyegl")
    expect(page.locator("#suggestions li")).to_have_count(1)
    query.press("ArrowDown")
    query.press("Enter")
    assert query.input_value() == "young, eyeglasses"
    expect(page.locator("#suggestions")).to_be_hidden()


def test_words_are_offered_for_what_was_typed_before_they_came(page: sync_api.Page) -> None:
    held: list[sync_api.Route] = []
    page.route("**/words", lambda route: held.append(route))
    page.reload()
    page.locator("#to-search").click()
    page.locator("#query").press_sequentially("eyegl")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("#suggestions li")).to_have_count(1)
    expect(page.locator("#suggestions")).to_be_visible()


def test_enter_with_words_offered_and_none_chosen_searches(page: sync_api.Page) -> None:
    page.locator("#to-search").click()
    query = page.locator("#query")
    query.press_sequentially("smile")
    expect(page.locator("#suggestions li").first).to_be_visible()
    query.press("Enter")
    expect(page.locator("#suggestions")).to_be_hidden()
    expect(query).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#results li")).to_have_count(12)


@pytest.mark.parametrize("typed", ["young woman smil", "not bald, wearing ha"])
def test_words_are_offered_wherever_they_begin(page: sync_api.Page, typed: str) -> None:
    page.locator("#to-search").click()
    page.locator("#query").press_sequentially(typed)
    expect(page.locator("#suggestions li").first).to_be_visible()


def test_what_is_in_order_says_by_how_much(page: sync_api.Page) -> None:
    search(page, "by smiling")
    expect(page.locator("#results li")).to_have_count(12)
    said = page.locator("#results .said").all_inner_texts()
    shares = [int(one.split(" %")[0]) for one in said]
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1]
    assert all(f"smiling {share} %" in one for share, one in zip(shares, said, strict=True))


def test_a_picture_of_the_library_its_faces_and_more_like_it(page: sync_api.Page) -> None:
    search(page, "by smiling")
    page.locator("#results button").first.click()
    expect(page.locator("#detail .bars li")).to_have_count(40)
    assert not serious(page)
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#results li")).to_have_count(11)
    expect(page.locator("#detail")).to_be_hidden()


def test_thumbnails_come_when_they_are_seen(page: sync_api.Page) -> None:
    search(page, "by young")
    expect(page.locator("#results img[src^='blob:']").first).to_be_visible()


def test_the_summary_has_a_bar_for_every_attribute(page: sync_api.Page) -> None:
    page.locator("#to-summary").click()
    expect(page.locator("#shares .bars li")).to_have_count(40)
    expect(page.locator("#holds")).to_contain_text("12 pictures with 12 faces")


def test_a_summary_that_cannot_be_had_says_why(page: sync_api.Page) -> None:
    page.route("**/summary", lambda route: route.abort(), times=1)
    page.locator("#to-summary").click()
    expect(page.locator("#trouble")).to_have_text("The server cannot be reached: is it still running?")
    page.locator("#to-summary").click()
    expect(page.locator("#trouble")).to_be_hidden()
    expect(page.locator("#shares .bars li")).to_have_count(40)
