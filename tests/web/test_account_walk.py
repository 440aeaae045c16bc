"""An account that one can live with, by the page: a lost password, profile and theme, tokens with scopes, leaving."""

from contextlib import closing

import pytest
from playwright.sync_api import expect

from services.cli.client import Client, ServerProblem
from tests.web.browsing import PASSWORD, Open, accessibility_faults, settle
from tests.web.gallery import OPERATOR, Gallery

NEW = "another horse entirely"


def test_a_lost_password_is_set_by_an_operators_link(gallery: Gallery, open_as: Open) -> None:
    who = gallery.add_participant()
    operator = open_as(OPERATOR, "/operator")
    operator.get_by_label("Who lost a password").fill(who)
    operator.get_by_role("button", name="Make a link").click()
    link = operator.get_by_text("/reset-password#").inner_text()

    page = open_as(None, "/reset-password#" + link.partition("#")[2])
    page.get_by_label("New password", exact=False).fill(NEW)
    assert "#" not in page.url
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your password is set")).to_be_visible()
    page.locator("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("Username").fill(who)
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name=who)).to_be_visible()
    with closing(Client(gallery.url, gallery.tokens[who])) as before, pytest.raises(ServerProblem):
        before.get("/api/me")


def test_an_account_is_lived_in_and_left(gallery: Gallery, open_as: Open) -> None:
    who = gallery.add_participant()
    page = open_as(who, "/account")
    page.get_by_label("Display name").fill("Ada L.")
    page.get_by_role("button", name="Save the profile").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    section = page.locator("section", has=page.get_by_role("heading", name="Preferences"))
    section.get_by_label("Theme").select_option("dark")
    section.get_by_label("Time zone").select_option("Asia/Tokyo")
    section.get_by_role("button", name="Save the preferences").click()
    expect(section.get_by_text("Saved.")).to_be_visible()
    other = open_as(who, "/account")
    expect(other.locator("html[data-theme=dark]")).to_be_attached()
    expect(other.get_by_label("Display name")).to_have_value("Ada L.")
    expect(other.locator("time").first).to_have_attribute("title", "Asia/Tokyo time")

    page.get_by_label("Token name").fill("ci")
    page.get_by_label("submit", exact=True).uncheck()
    page.get_by_role("button", name="Create token").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="ci"))
    expect(row).to_contain_text("read")
    expect(row).not_to_contain_text("submit")

    page.get_by_role("button", name="Delete my account…").click()
    expect(page.get_by_role("heading", name="What remains")).to_be_visible()
    settle(page)
    assert accessibility_faults(page) == []
    page.get_by_label(f"Your username ({who})").fill(who)
    page.locator("form", has=page.get_by_role("heading", name="What goes")).get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account for ever").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    other.reload()
    expect(other.get_by_role("link", name="Sign in").first).to_be_visible()
