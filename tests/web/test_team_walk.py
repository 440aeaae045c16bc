"""Two people form a team by the pages: one makes it and invites, the other looks before joining, and both see it."""

from collections.abc import Callable
from contextlib import closing
from uuid import uuid4

from playwright.sync_api import BrowserContext, Page, Route, expect

from services.cli.client import Client
from tests.installation import phase_of
from tests.web.browsing import accessibility_faults, settle, sign_in
from tests.web.gallery import ORGANISER, Gallery


def test_two_people_form_a_team(gallery: Gallery, new_context: Callable[..., BrowserContext]) -> None:
    slug, name = f"c{uuid4().hex[:8]}", f"team-{uuid4().hex[:8]}"
    with closing(Client(gallery.url, gallery.tokens[ORGANISER])) as organiser:
        organiser.post("/api/competitions", {"slug": slug, "title": "Cup"})
        organiser.post(f"/api/competitions/{slug}/phases", phase_of("tiny", slug="feedback"))
    captain, member = gallery.add_participant(), gallery.add_participant()

    def look(who: str | None, path: str) -> Page:
        context = new_context()
        if who is not None:
            sign_in(context, gallery.url, gallery.tokens[who])
        page = context.new_page()
        page.goto(gallery.url + path)
        return page

    leading = look(captain, f"/competitions/{slug}/teams")
    leading.get_by_label("Name of the team").fill(name)
    leading.get_by_role("button", name="Make the team").click()
    expect(leading.get_by_role("heading", name=name, level=1)).to_be_visible()
    leading.get_by_role("button", name="Make a link").click()
    link = leading.get_by_role("status").locator("code").inner_text()
    settle(leading)
    assert accessibility_faults(leading) == []

    stranger = look(None, link.removeprefix(gallery.url))
    stranger.get_by_role("link", name="Sign in", exact=True).last.click()
    expect(stranger.get_by_label("Username")).to_be_visible()
    assert stranger.url.endswith(link.rpartition("/join")[2])  # the code still follows #

    joining = look(member, link.removeprefix(gallery.url))
    expect(joining.get_by_role("main")).to_contain_text(captain)
    settle(joining)
    assert accessibility_faults(joining) == []
    joining.get_by_role("button", name=f"Join {name}").click()
    expect(joining.get_by_role("region", name="Members").last).to_contain_text(member)

    joining.get_by_role("link", name=member).click()
    joining.get_by_role("link", name="My teams").click()
    expect(joining.get_by_role("region", name="Teams").last).to_contain_text(name)
    accounts: list[Route] = []

    def hold(route: Route) -> None:
        accounts.append(route)

    leading.route("**/api/me", hold)
    leading.reload()
    expect(leading.get_by_role("region", name="Members").last).to_contain_text(member)
    expect(leading.get_by_role("button", name="Make captain")).to_have_count(0)  # before it is known who looks
    for account in accounts:
        account.continue_()
    leading.unroute("**/api/me", hold)
    leading.get_by_role("button", name="Make captain").click()
    leading.get_by_role("dialog").get_by_role("button", name="Make captain").click()
    leading.get_by_role("button", name="Leave the team").click()
    leading.get_by_role("dialog").get_by_role("button", name="Leave the team").click()
    expect(leading.get_by_text("You are in no team yet")).to_be_visible()
