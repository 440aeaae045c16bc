"""What pages do where a reader does what no walk does: edits a chosen file, hides a tab, mistypes a phase."""

import os
import re
import zipfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Locator, Page, Request, Route, expect
from sqlalchemy import select

from services.cli.client import Client
from services.core.models import BenchmarkRow, EventKind, State, Submission
from services.core.queue.lifecycle import add_event, cancel, lock_evaluation, move
from services.core.store.database import utc_now
from tests.web.browsing import ENTRY, NARROW, file, overflow_px
from tests.web.conftest import Visit
from tests.web.exhibits import add_submission
from tests.web.gallery import OPERATOR, ORGANISER, PARTICIPANT, UNSCORABLE, Gallery, Place, feedback_phase
from tests.web.surroundings import LONG

FORM = "/competitions/digits/submit?phase=feedback"
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, value: hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def choose(page: Page, path: Path) -> None:
    """Choose a file as one does by hand. Chromium tells no change, where its input still holds the same path."""
    with page.expect_file_chooser() as chooser:
        page.locator("input[type=file]").click()
    expect(page.locator("input[type=file]")).to_have_value("")
    chooser.value.set_files(path)


def send(page: Page) -> None:
    page.get_by_role("button", name="Submit", exact=True).click()


def submission(gallery: Gallery, who: str, name: str) -> Submission:
    with gallery.database.write() as session:
        phase = feedback_phase(session)
        return add_submission(session, phase, who, name)


def test_file_that_is_edited_is_chosen_again(gallery: Gallery, visit: Visit, tmp_path: Path) -> None:
    page = visit(Place("submit", FORM, gallery.add_participant()))
    entry = tmp_path / "entry.py"
    entry.write_text("def unlearn(net): ...")
    choose(page, entry)
    expect(page.get_by_role("alert")).to_contain_text("unlearning")
    entry.write_text(ENTRY)
    choose(page, entry)
    expect(page.get_by_text("Ready to submit")).to_be_visible()
    entry.write_text(f"{ENTRY}# edited\n")
    os.utime(entry, (0, 0))  # Chromium looks at whole seconds
    send(page)
    expect(page.get_by_role("alert")).to_contain_text("Choose it again")
    choose(page, entry)
    send(page)
    expect(page.get_by_role("heading", name="entry", level=1)).to_be_visible()


def test_upload_under_way_is_the_only_one_and_ends_with_its_page(gallery: Gallery, visit: Visit) -> None:
    page = visit(Place("submit", FORM, gallery.add_participant()))
    page.route("**/phases/feedback/submissions?*", lambda _: None)  # it never arrives
    chooser = page.locator("input[type=file]")
    chooser.set_input_files(file("entry.py", ENTRY))
    send(page)
    expect(page.get_by_role("button", name="Uploading")).to_be_disabled()
    expect(chooser).to_be_disabled()
    with page.expect_event("requestfailed"):
        page.get_by_role("link", name="Rules").click()
    expect(page.get_by_text("A submission is a module")).to_be_visible()


def test_hidden_tab_holds_no_stream_and_catches_up(gallery: Gallery, visit: Visit) -> None:
    who = gallery.add_participant()
    row = submission(gallery, who, "patient")
    page = visit(Place("submission", f"/submissions/{row.id}", who))
    status = page.get_by_role("status")
    expect(status).to_contain_text("queued")
    with page.expect_event("requestfailed", is_stream):
        page.evaluate(HIDE, True)
    with gallery.database.write() as session:
        evaluation = lock_evaluation(session, row.evaluation_id)
        move(session, evaluation, State.RUNNING)
        add_event(session, evaluation, EventKind.PROGRESS, seeds_done=3, seeds=evaluation.seeds)
    with page.expect_request(is_stream):
        page.evaluate(HIDE, False)
    expect(status).to_contain_text("running")
    expect(page.get_by_text("3 of")).to_be_visible()
    expect(page.get_by_text("Connection lost")).to_have_count(0)


def is_stream(request: Request) -> bool:
    return request.url.endswith("/events")


def test_phase_that_is_not_there_is_said_to_be_missing(visit: Visit) -> None:
    page = visit(Place("typo", "/competitions/digits/organise?phase=typo", ORGANISER))
    expect(page.get_by_role("main")).to_contain_text("no phase \u2068typo\u2069")


def test_parts_of_a_competition_keep_to_the_phase_that_was_chosen(visit: Visit) -> None:
    page = visit(Place("rules", "/competitions/digits/rules?phase=check", PARTICIPANT))
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("navigation", name="Competition").get_by_role("link", name="Leaderboard").click()
    expect(page).to_have_url(re.compile("/leaderboard.phase=check$"))
    page.get_by_role("link", name="Submit", exact=True).click()
    expect(page).to_have_url(re.compile("/submit.phase=check$"))
    expect(page.get_by_role("link", name="Submit", exact=True)).to_have_count(0)


def test_moment_that_no_clock_shows_leaves_the_board_standing(visit: Visit) -> None:
    page = visit(Place("leaderboard", "/competitions/digits/leaderboard?phase=feedback"))
    page.get_by_text("Show an earlier leaderboard").click()
    page.get_by_label("Date and time").fill("20261-01-01T00:00")
    expect(page.get_by_role("row", name="old-mill")).to_be_visible()


def test_phase_is_made_with_its_quota_and_what_it_shows_and_takes(gallery: Gallery, visit: Visit) -> None:
    slug = f"own-{uuid4().hex[:8]}"
    with closing(Client(gallery.url, gallery.tokens[ORGANISER])) as organiser:
        organiser.post("/api/competitions", {"slug": slug, "title": slug})
    page = visit(Place("organise", f"/competitions/{slug}/organise", ORGANISER))
    page.get_by_label("Short name").fill("first")
    with gallery.database.read() as session:
        tiny = session.scalars(select(BenchmarkRow.digest).where(BenchmarkRow.name == "tiny")).one()
    page.get_by_label("Benchmark").select_option(tiny)
    page.get_by_label("Opens at").fill("2026-01-01T00:00")
    page.get_by_label("Closes at").fill("2099-01-01T00:00")
    page.get_by_label("Submissions per team").fill("2")
    page.get_by_label("Runs per submission").fill("64")
    page.get_by_label("Accept notebooks").check()
    expect(page.get_by_label("data hidden")).to_be_checked()
    page.get_by_label("Kind").select_option("check")
    expect(page.get_by_label("data hidden")).not_to_be_checked()
    expect(page.get_by_text("in your time zone (Europe/Berlin)")).to_be_visible()
    page.get_by_role("button", name="Add phase").click()
    expect(page.get_by_role("alert")).to_contain_text("Notebooks cannot run on")
    page.get_by_label("Accept notebooks").uncheck()
    page.get_by_role("button", name="Add phase").click()
    expect(page.get_by_role("heading", name="Settings of first")).to_be_visible()
    page.get_by_role("link", name="Rules").click()
    rules = page.get_by_role("main")
    expect(rules).to_contain_text("submit 2 times")
    expect(rules).to_contain_text("The data are not hidden")


def test_work_that_nobody_takes_is_told_with_what_to_do(gallery: Gallery, visit: Visit) -> None:
    row = submission(gallery, gallery.add_participant(), "waiting")
    with gallery.database.write() as session:
        lock_evaluation(session, row.evaluation_id).created_at = utc_now() - timedelta(minutes=5)
    page = visit(Place("operator", "/operator", OPERATOR))
    expect(page.get_by_text("no worker has picked them up")).to_contain_text("lethe worker")


def test_rules_list_the_packages_of_the_phases_environment(visit: Visit) -> None:
    page = visit(Place("rules", "/competitions/digits/rules?phase=feedback"))
    section = packages_on(page)
    expect(section).to_contain_text("Python 3.11.2")
    expect(section.get_by_role("listitem").filter(has_text="torch 2.13.0+cpu")).to_be_visible()
    expect(section.get_by_role("listitem").filter(has_text=re.compile("^numpy [0-9.]+$"))).to_be_visible()
    expect(page.get_by_text("kaggle-2023")).to_have_count(0)


def packages_on(page: Page) -> Locator:
    return page.locator("section").filter(has=page.get_by_role("heading", name="Environment: current"))


def test_the_starting_kit_is_that_of_the_phase_with_its_packages(visit: Visit) -> None:
    page = visit(Place("kit", "/competitions/digits/kit?phase=feedback"))
    page.get_by_role("link", name="check", exact=True).click()
    expect(packages_on(page)).to_contain_text("torchvision 0.28.0+cpu")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the starting kit").click()
    assert "/phases/check/starting-kit" in download.value.url
    with zipfile.ZipFile(download.value.path()) as kit:
        assert "\ntorch==2.13.0+cpu\n" in kit.read("starting_kit/packages.txt").decode()


def test_operators_see_which_worker_has_which_environment(visit: Visit) -> None:
    page = visit(Place("operator", "/operator", OPERATOR))
    workers = page.get_by_role("region", name="Workers of this installation")
    expect(workers.get_by_role("columnheader", name="environments")).to_be_visible()
    for worker, environments in {
        "basement-3f0a1c2b": f"current, kaggle-2023, {LONG}",
        "attic-77d0e9aa": "current",
        "laptop-0b5c6d7e": "–",
    }.items():
        told = workers.get_by_role("row", name=worker).locator("[data-label=environments]")
        expect(told).to_have_text(environments)
    page.set_viewport_size({"width": NARROW, "height": 800})
    expect(told).to_be_visible()
    assert overflow_px(page) <= 0


def test_failures_are_listed_with_their_kind(visit: Visit) -> None:
    page = visit(Place("submissions", "/submissions", PARTICIPANT))
    expect(page.get_by_role("row", name="slow second order")).to_contain_text("timeout")


def test_what_is_being_scored_offers_no_cancelling(gallery: Gallery, visit: Visit) -> None:
    who = gallery.add_participant()
    row = submission(gallery, who, "measured")
    with gallery.database.write() as session:
        evaluation = lock_evaluation(session, row.evaluation_id)
        move(session, evaluation, State.RUNNING)
        move(session, evaluation, State.MEASURED, seeds=evaluation.seeds)
    page = visit(Place("submission", f"/submissions/{row.id}", who))
    expect(page.get_by_role("status")).to_contain_text("scored")
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_more_that_does_not_come_and_signing_out_that_fails_say_so(gallery: Gallery, visit: Visit) -> None:
    who = gallery.add_participant()
    for number in range(21):
        row = submission(gallery, who, f"entry {number}")
        with gallery.database.write() as session:
            cancel(session, lock_evaluation(session, row.evaluation_id))
    page = visit(Place("submissions", "/submissions", who))
    page.route("**/api/submissions?*after=*", refuse)
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_role("alert")).to_contain_text("Too many requests")
    page.route("**/api/sessions/current", refuse)
    page.goto(gallery.at("/account"))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("alert")).to_contain_text("Too many requests")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def refuse(route: Route) -> None:
    problem = {"code": "too_many_requests", "detail": "Too many requests. Wait a minute."}
    route.fulfill(status=429, json=problem, content_type="application/problem+json")


def test_preview_names_what_could_not_be_scored_and_says_why(visit: Visit) -> None:
    page = visit(Place("organise", "/competitions/digits/organise/rescoring?phase=feedback", ORGANISER))
    section = page.get_by_role("region", name="Not scored")
    expect(section).to_contain_text(f"noise, then repair of ada: {UNSCORABLE}")
    section.get_by_role("link", name="noise, then repair").click()
    expect(page.get_by_role("heading", name="noise, then repair", level=1)).to_be_visible()


def test_term_on_a_page_leads_to_its_meaning(visit: Visit) -> None:
    page = visit(Place("leaderboard", "/competitions/digits/leaderboard?phase=feedback"))
    page.get_by_role("link", name="tie group").click()
    meaning = page.locator("#tie-group")
    expect(meaning).to_contain_text("paired test")
    expect(meaning).to_be_in_viewport()
