"""Who takes part, by the page: people ask, an organiser approves and refuses, a code admits, a role is given."""

from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from services.cli.client import Client
from tests.installation import phase_of
from tests.web.browsing import accessibility_faults, settle, sign_in
from tests.web.gallery import ORGANISER, Gallery

Look = Callable[[str, str], Page]


@pytest.fixture
def slug(gallery: Gallery) -> Iterator[str]:
    """A new competition with an open phase."""
    made = f"c{uuid4().hex[:8]}"
    with closing(Client(gallery.url, gallery.tokens[ORGANISER])) as organiser:
        organiser.post("/api/competitions", {"slug": made, "title": "Cup"})
        organiser.post(f"/api/competitions/{made}/phases", phase_of("tiny", slug="feedback"))
        yield made


@pytest.fixture
def look(gallery: Gallery, slug: str, new_context: Callable[..., BrowserContext]) -> Look:
    """Open a part of the competition as somebody."""

    def look(who: str, part: str) -> Page:
        context = new_context()
        sign_in(context, gallery.url, gallery.tokens[who])
        page = context.new_page()
        page.goto(f"{gallery.url}/competitions/{slug}{part}")
        return page

    return look


def test_people_ask_and_an_organiser_decides_on_several_at_once(gallery: Gallery, look: Look) -> None:
    names = sorted(gallery.add_participant() for _ in range(3))
    organiser = look(ORGANISER, "/organise/people")
    organiser.get_by_label("Who takes part").select_option("approval")
    organiser.get_by_role("button", name="Save").click()
    expect(organiser.get_by_text("Saved.")).to_be_visible()

    pages = [look(name, "/submit") for name in names]
    for page in pages:
        page.get_by_role("button", name="Ask to take part").click()
        expect(page.get_by_text("waits for an organiser")).to_be_visible()

    organiser.reload()
    for name in names[:2]:
        organiser.get_by_label(name).check()
    organiser.get_by_role("button", name="Approve 2").click()
    expect(organiser.get_by_label(names[0])).not_to_be_visible()
    organiser.get_by_label(names[2]).check()
    organiser.get_by_role("button", name="Refuse 1").click()
    organiser.get_by_label("Reason").fill("Not in this class.")
    organiser.get_by_role("dialog").get_by_role("button", name="Refuse 1").click()
    expect(organiser.get_by_text("No registrations match.")).to_be_visible()
    settle(organiser)
    assert accessibility_faults(organiser) == []

    for page in pages:
        page.reload()
    for page in pages[:2]:
        expect(page.get_by_text("Drop your submission here")).to_be_visible()
    expect(pages[2].get_by_text("Not in this class.")).to_be_visible()
    expect(pages[2].get_by_text("Drop your submission here")).not_to_be_visible()


def test_a_code_admits_and_a_reviewer_only_looks(gallery: Gallery, look: Look) -> None:
    guest = gallery.add_participant()
    organiser = look(ORGANISER, "/organise/people")
    organiser.get_by_label("Who takes part").select_option("invitation")
    organiser.get_by_role("button", name="Save").click()
    organiser.get_by_label("Whom it is for").fill("A guest")
    organiser.get_by_role("button", name="Make a code").click()
    code = organiser.get_by_role("status").locator("code").inner_text()

    page = look(guest, "")
    for typed, shown in (("0" * 32, "The code does not admit you"), (code, "You are registered")):
        page.get_by_label("Invitation code").fill(typed)
        page.get_by_role("button", name="Register").click()
        expect(page.get_by_text(shown)).to_be_visible()

    organiser.get_by_label("Username", exact=True).fill(guest)
    organiser.get_by_label("Role", exact=True).select_option("reviewer")
    organiser.get_by_role("button", name="Give the role").click()
    expect(organiser.get_by_role("row", name=guest)).to_contain_text("reviewer")
    page.reload()
    page.get_by_role("link", name="Organise").click()
    page.get_by_role("link", name="People").click()
    expect(page.get_by_role("region", name="Invitations")).to_contain_text("1 of 1")
    expect(page.get_by_role("main").get_by_role("button")).to_have_text(["Leave"])
