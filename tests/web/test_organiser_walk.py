"""What an organiser does by the page: look at what a rescore would move, publish it, take it back; move a phase."""

import re
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from services.benchmarks.recipes import Recipe
from services.core.bundle import store as bundle_store
from services.core.store.blobs import Blobs
from tests.bundles import make_tiny_bundle
from tests.entries import NOISE, STILL
from tests.installation import Installation, phase_of
from tests.web.browsing import accessibility_faults, settle, sign_in


def board(served: Installation) -> dict[str, float]:
    entries = served.client.board("/api/competitions/cup/phases/feedback/leaderboard")
    return {entry["entry"]: entry["final_score"] for entry in entries}


def test_rescoring_is_looked_at_published_and_undone(
    context: BrowserContext, page: Page, served: Installation, tmp_path: Path
) -> None:
    served.client.post("/api/competitions", {"slug": "cup", "title": "Cup"})
    served.client.post("/api/competitions/cup/phases", phase_of("tiny", seeds=16, shard_seeds=8))
    for team, source in (("loud", NOISE), ("still", STILL)):
        served.client.post("/api/teams", {"name": team})
        served.submit(source, tmp_path, "--team", team, "--wait")
    before = board(served)

    sign_in(context, served.stack.url, served.token)
    page.goto(f"{served.stack.url}/competitions/cup/organise/rescoring")
    page.get_by_label("Metric").select_option("lethe-1")
    page.get_by_role("button", name="Prepare rescoring").click()
    moves = page.get_by_role("region", name="Rank changes")
    expect(moves.get_by_role("row", name="loud")).to_be_visible(timeout=60_000)
    expect(moves.get_by_role("row", name="still")).to_be_visible()
    settle(page)
    assert accessibility_faults(page) == []
    assert board(served) == before

    for act, outcome, metric in (("Publish", "published", "lethe-1"), ("Undo", "undone", "neurips-2023")):
        page.get_by_role("button", name=act, exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name=act, exact=True).click()
        expect(page.get_by_role("main")).to_contain_text(f"Rescoring by lethe-1 {outcome}", timeout=60_000)
        assert (board(served) == before) is (act == "Undo")
        rooms = page.get_by_role("navigation", name="Organise")
        rooms.get_by_role("link", name="Entries").click()
        with page.expect_request("**/details"):
            page.get_by_role("row", name="loud").get_by_role("link").click()
        expect(page.get_by_role("heading", name=re.compile("^Score by")).first).to_have_text(f"Score by {metric}")
        page.go_back()
        rooms.get_by_role("link", name="Rescoring").click()
    rooms.get_by_role("link", name="Record").click()
    expect(page.get_by_text("rescoring undone")).to_be_visible()
    settle(page)
    assert accessibility_faults(page) == []


def test_quota_that_is_saved_is_the_quota_that_stands(
    context: BrowserContext, page: Page, served: Installation
) -> None:
    served.client.post("/api/competitions", {"slug": "few", "title": "Few"})
    served.client.post("/api/competitions/few/phases", phase_of("tiny"))
    sign_in(context, served.stack.url, served.token)
    page.goto(f"{served.stack.url}/competitions/few/organise")
    page.get_by_label("Submissions per team").fill("7")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert")).to_contain_text("participants of an open phase rely")
    page.get_by_label("Change it nevertheless").check()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Saved as version 1")).to_be_visible()
    page.goto(f"{served.stack.url}/competitions/few/announcements")
    expect(page.get_by_role("main")).to_contain_text("quota_per_day")
    page.goto(f"{served.stack.url}/competitions/few/rules")
    expect(page.get_by_role("main")).to_contain_text("submit 7 times")


def test_every_setting_is_on_the_page_and_a_refusal_names_it(
    context: BrowserContext, page: Page, served: Installation
) -> None:
    served.client.post("/api/competitions", {"slug": "all", "title": "All"})
    served.client.post("/api/competitions/all/phases", phase_of("tiny"))
    sign_in(context, served.stack.url, served.token)
    page.goto(f"{served.stack.url}/competitions/all/organise")
    runs = page.get_by_label("Runs per submission")
    runs.fill("9999")
    page.get_by_label("Title").fill("Practice")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert")).to_contain_text("Runs per submission")
    runs.fill("8")
    served.client.put(
        "/api/competitions/all/phases/feedback/settings",
        changed(served, "/api/competitions/all/phases/feedback/settings", quota_total=30),
    )
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("alert")).to_contain_text("has changed the competition")
    page.get_by_role("button", name="load the new settings").click()
    expect(page.get_by_label("Submissions in all")).to_have_value("30")
    page.get_by_label("Title").fill("Practice")
    page.get_by_label("Time of one run").fill("7.5")
    page.get_by_role("button", name="Save changes").click()
    page.get_by_label("Change it nevertheless").check()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", name="Settings of Practice")).to_be_visible()
    shown = served.client.get("/api/competitions/all")["phases"][0]
    assert (shown["title"], shown["seed_timeout_s"], shown["quota_total"]) == ("Practice", 7.5, 30)
    settle(page)
    assert accessibility_faults(page) == []


def changed(served: Installation, path: str, **change: object) -> dict[str, object]:
    seen = served.client.get(path)
    return {"settings": seen["settings"] | change, "based_on": seen["token"], "confirm": True}


def test_entries_are_run_elsewhere_and_reference_rows_made_by_the_page(
    context: BrowserContext, page: Page, served: Installation, tmp_path: Path
) -> None:
    trained = make_tiny_bundle(tmp_path / "trained", called="trained", recipe=Recipe(4, 16, 0.1))
    with served.database.write() as session:
        bundle_store.publish(session, Blobs.from_settings(served.settings), trained)
    served.client.post("/api/competitions", {"slug": "elsewhere", "title": "Elsewhere"})
    phase = phase_of("trained", seeds=8, shard_seeds=8)
    served.client.post("/api/competitions/elsewhere/phases", phase)
    for team, source in (("quick", NOISE), ("idle", STILL)):
        served.client.post("/api/teams", {"name": team})
        path = tmp_path / f"{team}.py"
        path.write_text(source)
        served.lethe("submit", str(path), "-c", "elsewhere", "-p", "feedback", "--team", team, "--wait")
    sign_in(context, served.stack.url, served.token)
    page.goto(f"{served.stack.url}/competitions/elsewhere/organise/matrices?phase=feedback")

    page.get_by_label("What it is for").fill("Other data")
    page.get_by_label(re.compile("^quick: ")).check()
    page.get_by_label(re.compile("^idle: ")).check()
    for box in page.get_by_role("group", name="Benchmarks").get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Start the matrix").click()

    table = page.get_by_role("region", name="Other data")
    expect(table.get_by_text("rank 1")).to_have_count(2, timeout=120_000)
    settle(page)
    assert accessibility_faults(page) == []

    page.goto(f"{served.stack.url}/competitions/elsewhere/organise?phase=feedback")
    rows = page.get_by_role("region", name="Reference rows")
    expect(rows.get_by_text("not made yet")).to_have_count(4)
    page.get_by_role("button", name="Make missing and failed rows").click()
    expect(rows.get_by_text("scored")).to_have_count(4, timeout=120_000)
    settle(page)
    assert accessibility_faults(page) == []
