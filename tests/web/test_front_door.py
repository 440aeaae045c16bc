"""What strangers find without an account: the first page, the documentation with its search, links to share."""

from contextlib import closing
from uuid import uuid4

from playwright.sync_api import expect

from services.cli.client import Client
from tests.installation import phase_of
from tests.web.browsing import NARROW, overflow_px
from tests.web.conftest import Visit
from tests.web.gallery import ORGANISER, PARTICIPANT, Gallery, Place


def test_strangers_read_what_this_is_and_go_on_to_a_competition(visit: Visit) -> None:
    page = visit(Place("welcome", "/"))
    expect(page.get_by_role("heading", name="Make a model forget", level=1)).to_be_visible()
    expect(page.get_by_role("figure")).to_contain_text("An entry that forgot well")
    open_now = page.locator("section", has_text="Open competitions")
    expect(open_now.get_by_role("link", name="Forgetting handwritten digits")).to_be_visible()
    expect(open_now.get_by_role("link", name="Ages and faces")).to_have_count(0)  # it has no phase
    page.get_by_role("link", name="The participant's guide").click()
    expect(page.get_by_role("heading", name="For participants", level=1)).to_be_visible()


def test_the_kit_begins_with_the_check_phase_and_says_how_a_final_is_entered(gallery: Gallery, visit: Visit) -> None:
    slug = f"c{uuid4().hex[:8]}"
    with closing(Client(gallery.url, gallery.tokens[ORGANISER])) as organiser:
        organiser.post("/api/competitions", {"slug": slug, "title": "Cup"})
        for kind in ("check", "feedback"):
            organiser.post(f"/api/competitions/{slug}/phases", phase_of("tiny", slug=kind, kind=kind))
    page = visit(Place("kit", f"/competitions/{slug}/kit"))
    main = page.get_by_role("main")
    expect(main).to_contain_text(f"--competition {slug} --phase check --wait")
    page.get_by_role("link", name="feedback", exact=True).click()
    expect(main).to_contain_text("--phase feedback --wait")
    final = visit(Place("kit", "/competitions/digits/kit?phase=final")).get_by_role("main")
    expect(final).to_contain_text("lethe select SUBMISSION --phase final")


def test_people_who_are_signed_in_find_their_competitions_first(visit: Visit) -> None:
    page = visit(Place("home", "/", PARTICIPANT))
    expect(page.get_by_role("heading", name="Competitions", level=1)).to_be_visible()
    page.get_by_role("link", name="About").click()
    expect(page.get_by_role("heading", name="Make a model forget", level=1)).to_be_visible()


def test_the_documentation_is_searched_and_its_code_is_copied(visit: Visit) -> None:
    page = visit(Place("docs", "/docs"))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("searchbox", name="Search the documentation").fill("tie gro")
    page.get_by_role("main").get_by_role("link", name="tie group", exact=True).click()
    expect(page.locator("#tie-group")).to_be_in_viewport()
    page.get_by_role("searchbox").fill("xylophone")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("navigation", name="Documentation").get_by_role("link", name="Scoring", exact=True).click()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert "lethe score" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("link", name="Performance").last.click()
    expect(page.get_by_role("heading", name="Performance", level=1)).to_be_visible()
    page.set_viewport_size({"width": NARROW, "height": 800})
    assert overflow_px(page) <= 0


def test_a_leaderboard_is_shared_and_an_entry_of_it_cited(visit: Visit) -> None:
    page = visit(Place("leaderboard", "/competitions/digits/leaderboard?phase=feedback"))
    assert "river-stones" in (page.locator("meta[name=description]").get_attribute("content") or "")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_text("Share and cite").click()
    page.get_by_role("button", name="Copy the link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").endswith("/competitions/digits/leaderboard?phase=feedback")
    page.get_by_label("Entry to cite").select_option("north")
    expect(page.get_by_text("@misc{lethe-digits-feedback-north,")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="CITATION.cff").click()
    assert "name: north" in download.value.path().read_text()
    page.get_by_role("link", name="Overview").click()
    expect(page.locator("[data-card]")).to_have_count(0)  # it spoke of the leaderboard
