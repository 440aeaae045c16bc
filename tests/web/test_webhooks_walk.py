"""Webhooks by the page: an organiser adds one, sees what came of its calls, makes one again, and removes it."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.api.receiver import receiver
from tests.web.browsing import accessibility_faults, overflow_px, settle, sign_in
from tests.web.gallery import NEWCOMER, ORGANISER, REVIEWER, Gallery


def _open(gallery: Gallery, context: BrowserContext, who: str, path: str) -> Page:
    sign_in(context, gallery.url, gallery.tokens[who])
    page = context.new_page()
    page.goto(gallery.url + path)
    return page


def test_an_organiser_has_an_address_called(gallery: Gallery, new_context: Callable[..., BrowserContext]) -> None:
    page = _open(gallery, new_context(), ORGANISER, "/competitions/bare/organise")
    page.get_by_role("link", name="Webhooks").click()
    with receiver() as there:
        page.get_by_label("Address").fill("ftp://example.org")
        page.get_by_role("button", name="Add the webhook").click()
        expect(page.get_by_text("Give an address that begins with")).to_be_visible()
        page.get_by_label("Address").fill(there.url)
        page.get_by_label("A submission runs").uncheck()
        page.get_by_role("button", name="Add the webhook").click()
        expect(page.get_by_text("Copy the secret now")).to_be_visible()
        card = page.get_by_text("Called for").locator("xpath=ancestor::div[dl]")
        expect(card).to_contain_text("a submission is scored")
        expect(card).not_to_contain_text("a submission runs")

        there.answers.append(410)
        card.get_by_role("button", name="Call it with a test").click()
        expect(card.get_by_role("row", name="Test").first).to_contain_text("Given up. It answered 410")
        card.get_by_role("button", name="Call again").click()
        expect(card.get_by_role("row", name="Test").first).to_contain_text("Delivered (204)")
        assert there.types == ["webhook.test"] * 2
    settle(page)
    assert accessibility_faults(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert overflow_px(page) == 0

    card.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Called for")).to_have_count(0)
    page.get_by_role("link", name="Record").click()
    expect(page.get_by_text("webhook removed by organiser")).to_be_visible()


def test_nobody_else_sees_them(gallery: Gallery, new_context: Callable[..., BrowserContext]) -> None:
    page = _open(gallery, new_context(), REVIEWER, "/competitions/digits/organise")
    expect(page.get_by_role("link", name="Record")).to_be_visible()
    expect(page.get_by_role("link", name="Webhooks")).to_have_count(0)
    for who in (REVIEWER, NEWCOMER):
        page = _open(gallery, new_context(), who, "/competitions/digits/organise/webhooks")
        expect(page.get_by_text("This page needs the role")).to_be_visible()
