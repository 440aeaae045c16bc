"""A whole contest, held in a browser: from its file to the sealed final, the winner and the frozen record."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from services.api.frozen.checking import check
from services.cli.client import Client
from services.core.store.database import utc_now
from tests.entries import NOISE, STILL
from tests.installation import Installation
from tests.web.browsing import PASSWORD, WIDE, file, sign_in
from tests.web.people import Person

SLUG, TITLE = "whole", "The whole contest"
RUNS_MS = 120_000  # until workers have run an entry, whatever else the machine does
FILE = """\
lethe: 1
slug: {slug}
title: {title}
visibility: public
description: Forget what the model should not know.
rules: Be honest.
registration: approval
code_licence: Apache-2.0
phases:
  - {{slug: check, kind: check, benchmark: tiny, opens_at: {opened}, closes_at: {ends}, {runs}}}
  - {{slug: feedback, kind: feedback, benchmark: tiny, opens_at: {opened}, closes_at: {ends}, {runs}}}
  - {{slug: final, kind: final, benchmark: tiny, opens_at: {ends}, closes_at: {later}, {runs}, draws_from: [feedback]}}
"""
RUNS = "seeds: 8, shard_seeds: 8, seed_timeout_s: 20, references: false"


@pytest.fixture
def person(served: Installation, new_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., Person]]:
    """Seat somebody before a browser of their own."""
    url = served.stack.url
    with ExitStack() as stack:

        def seated(name: str | None, role: str = "participant") -> Person:
            context = new_context(viewport={"width": WIDE, "height": 800})
            if name is None:
                return Person("a stranger", context.new_page(), url, SLUG)
            credentials = {"username": f"{name}-{uuid4().hex[:6]}", "password": PASSWORD}
            served.client.post("/api/accounts", credentials)
            served.client.patch(f"/api/admin/accounts/{credentials['username']}", {"role": role})
            token = served.client.post("/api/sessions", credentials)["token"]
            sign_in(context, url, token)
            api = stack.enter_context(closing(Client(url, token)))
            return Person(credentials["username"], context.new_page(), url, SLUG, api)

        yield seated


@pytest.mark.timeout(600)
def test_a_contest_is_held_from_its_file_to_its_frozen_record(person: Callable[..., Person], tmp_path: Path) -> None:
    organiser, ada, bob = person("organiser", "organiser"), person("ada"), person("bob")
    stranger = person(None)

    apply_file(organiser, tmp_path)
    ask_to_take_part(ada, bob)
    approve(organiser, ada, bob)
    submit(ada, "check", "checked", STILL)
    submit_by_api(bob, "loud", NOISE, tmp_path)
    entry = submit(ada, "feedback", "quiet", STILL)
    judge(organiser, ada, entry)
    select(ada, entry)
    run_final(organiser)
    require_sealed(organiser, stranger, ada, bob)
    publish(organiser, stranger, ada, bob)
    decide(organiser, stranger, ada)
    announce(organiser, stranger)
    freeze(organiser, tmp_path)
    look_at_record(organiser)


def apply_file(organiser: Person, directory: Path) -> None:
    """The organiser begins with a file, looks at what it would make, and applies it."""
    path = directory / "competition.yaml"
    path.write_text(file_of_contest())
    page = organiser.page
    page.goto(f"{organiser.url}/competitions")
    page.get_by_role("link", name="begin with a file").click()
    page.get_by_label("Upload a file").set_input_files(path)
    organiser.clicks("Show what would change")
    expect(page.get_by_role("heading", name="A new competition")).to_be_visible()
    organiser.looks_well()
    organiser.confirms("Apply")
    expect(page.get_by_role("heading", name=TITLE, level=1)).to_be_visible()


def ask_to_take_part(*people: Person) -> None:
    """Everybody reads the rules, accepts them and asks."""
    for one in people:
        one.goes("/submit")
        expect(one.page.get_by_text("An organiser approves who takes part.")).to_be_visible()
        one.page.get_by_label("I have read the rules and accept them").check()
        one.clicks("Ask to take part")
        expect(one.page.get_by_text("waits for an organiser")).to_be_visible()


def approve(organiser: Person, *people: Person) -> None:
    """The organiser finds them waiting, and approves them together."""
    organiser.goes()
    organiser.follows("Organise")
    organiser.follows("People")
    for one in people:
        organiser.page.get_by_label(one.name).check()
    organiser.clicks(f"Approve {len(people)}")
    expect(organiser.page.get_by_text("No registrations match.")).to_be_visible()
    organiser.looks_well()


def submit(who: Person, phase: str, name: str, source: str) -> str:
    """A participant submits by the page and waits there for what comes of it; return the submission's id."""
    who.goes(f"/submit?phase={phase}")
    who.page.get_by_label("Drop your submission here").set_input_files(file("entry.py", source))
    who.page.get_by_label("Name on the leaderboard").fill(name)
    who.clicks("Submit", who.page.locator("form"))
    expect(who.page.get_by_role("heading", name=name, level=1)).to_be_visible()
    expect(who.page.get_by_role("heading", name="Score by neurips-2023")).to_be_visible(timeout=RUNS_MS)
    who.looks_well()
    return who.page.url.rpartition("/")[2]


def submit_by_api(who: Person, name: str, source: str, directory: Path) -> None:
    """Another participant leaves the page, and submits from a program."""
    assert who.api is not None
    path = directory / f"{name}.py"
    path.write_text(source)
    who.api.upload(f"/api/competitions/{SLUG}/phases/feedback/submissions", path, filename="entry.py", name=name)


def judge(organiser: Person, ada: Person, entry: str) -> None:
    """An entry is taken off the board and put back; its team reads why, both times."""
    organiser.follows("Entries")
    row = organiser.page.get_by_role("region", name="All submissions").get_by_role("row", name="quiet")
    row.get_by_role("link", name="quiet").click()
    organiser.page.get_by_label("Reason").fill("It looks like a copy.")
    organiser.confirms("Disqualify")
    expect(organiser.page.get_by_text("This entry was disqualified")).to_be_visible()
    ada.page.reload()
    expect(ada.page.get_by_text("This entry was disqualified")).to_contain_text("It looks like a copy.")
    ada.looks_well()

    organiser.goes("/organise/judging")
    off = organiser.page.get_by_role("region", name="Off the boards")
    organiser.confirms("Reinstate", reason="We compared them: it is her own.", within=off)
    expect(off.get_by_role("row", name="quiet")).to_contain_text("reinstated")
    organiser.looks_well()
    ada.page.reload()
    expect(ada.page.get_by_text("and reinstated")).to_contain_text("We compared them: it is her own.")
    ada.page.get_by_role("link", name="phase feedback").click()
    expect(ada.page.get_by_role("row", name=ada.name)).to_contain_text("you")
    ada.page.goto(f"{ada.url}/submissions/{entry}")


def select(ada: Person, entry: str) -> None:
    """A team enters its entry into the final, and agrees that its code is published."""
    ada.page.get_by_label("Its code may be published under Apache-2.0 if it wins").check()
    ada.clicks("Enter it into final")
    expect(ada.page.get_by_role("button", name="Take it back from final")).to_be_visible()
    expect(ada.page.get_by_text("selected for final")).to_be_visible()
    assert entry in ada.page.url
    ada.looks_well()


def run_final(organiser: Person) -> None:
    """The organiser sees who would enter, starts the final, and watches it to its end."""
    organiser.goes("/organise?phase=final")
    main = organiser.page.get_by_role("main")
    expect(main).to_contain_text("2 entries of 2 teams would run, 1 by default.")
    organiser.looks_well()
    organiser.confirms("Start the final")
    expect(main).to_contain_text("All 2 entries have ended: 2 scored.", timeout=RUNS_MS)
    entries = organiser.page.get_by_role("region", name="Entries of the final")
    expect(entries.get_by_text("scored")).to_have_count(2)
    organiser.looks_well()


def require_sealed(organiser: Person, stranger: Person, *teams: Person) -> None:
    """Before it is published, its board is the organiser's alone."""
    organiser.goes("/leaderboard?phase=final")
    expect(organiser.page.get_by_text("Sealed: only those who run the competition see this page.")).to_be_visible()
    for team in teams:
        expect(organiser.page.get_by_role("row", name=team.name)).to_be_visible()
    organiser.looks_well()
    for outsider in (stranger, teams[0]):
        outsider.goes("/leaderboard?phase=final")
        expect(outsider.page.get_by_text("This leaderboard is sealed")).to_be_visible()
        expect(outsider.page.get_by_role("row", name=teams[0].name)).to_have_count(0)
    expect(known(stranger, "Secret")).to_have_text("revealed when it is published")
    stranger.looks_well()


def publish(organiser: Person, stranger: Person, *teams: Person) -> None:
    """Once it is published, everybody sees the board, and the secret of its seeds."""
    organiser.goes("/organise?phase=final")
    promised = known(stranger, "Commitment").inner_text()
    organiser.confirms("Publish the final")
    expect(organiser.page.get_by_role("button", name="Seal the final")).to_be_visible()
    organiser.looks_well()
    stranger.goes("/leaderboard?phase=final")
    expect(known(stranger, "Secret")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    secret = known(stranger, "Secret").inner_text()
    assert hashlib.sha256(bytes.fromhex(secret)).hexdigest() == promised
    for team in teams:
        expect(stranger.page.get_by_role("row", name=team.name)).to_be_visible()
    stranger.looks_well()


def decide(organiser: Person, stranger: Person, ada: Person) -> None:
    """A finalist is run again and verified; everybody reads why, and its code, to which its team agreed."""
    organiser.follows("Winners")
    heading = organiser.page.get_by_role("heading", name=f"{ada.name}: quiet")
    verify = organiser.page.get_by_role("button", name="Verify")
    finalist = organiser.page.locator("div").filter(has=heading).filter(has=verify).last
    organiser.confirms("Run again", within=finalist)
    expect(finalist).to_contain_text("on the same worker, because there was no other", timeout=RUNS_MS)
    organiser.confirms("Verify", reason="Read by two of us.", within=finalist)
    expect(organiser.page.get_by_text("code published")).to_be_visible()
    organiser.looks_well()
    stranger.goes("/winners")
    expect(stranger.page.get_by_text("Read by two of us.")).to_be_visible()
    stranger.page.get_by_text(f"Read the code of {ada.name}").click()
    expect(stranger.page.get_by_text("def unlearning")).to_be_visible()
    stranger.looks_well()


def announce(organiser: Person, stranger: Person) -> None:
    """The organiser says how it ended, and everybody reads it."""
    organiser.follows("Announcements")
    organiser.page.get_by_label("Title").fill("The final is decided")
    organiser.page.get_by_label("Text").fill("Thank you all.")
    organiser.clicks("Announce")
    expect(organiser.page.get_by_role("heading", name="The final is decided")).to_be_visible()
    organiser.looks_well()
    stranger.follows("Announcements")
    expect(stranger.page.get_by_role("main")).to_contain_text("Thank you all.")
    stranger.looks_well()


def freeze(organiser: Person, directory: Path) -> None:
    """The contest becomes one file, which proves itself without the server."""
    organiser.follows("Organise")
    organiser.follows("Archive")
    organiser.clicks("Freeze the competition")
    with organiser.page.expect_download(timeout=RUNS_MS) as download:
        organiser.page.get_by_role("link", name="Download", exact=True).click(timeout=RUNS_MS)
    organiser.looks_well()
    archive = directory / "contest.zip"
    download.value.save_as(archive)
    assert organiser.api is not None
    found = check(archive, key=organiser.api.get("/api/receipts/key")["public_key"])
    assert found.problems == []
    assert (found.receipts, found.rows) == (5, 5)  # of the check, and of two teams in feedback and final


def look_at_record(organiser: Person) -> None:
    """Every act of the story stands on record."""
    organiser.follows("Record")
    main = organiser.page.get_by_role("main")
    for act in (
        "file applied",
        "registration approved",
        "entry disqualified",
        "entry reinstated",
        "entry selected for a final",
        "final started",
        "final published",
        "finalist run again",
        "finalist verified",
        "announcement posted",
    ):
        expect(main.get_by_text(act)).not_to_have_count(0)
    organiser.looks_well()


def known(who: Person, name: str) -> Locator:
    """Find what a page says of the final under a name."""
    return who.page.locator("dl > div").filter(has_text=re.compile(f"^{name}")).locator("dd")


def file_of_contest() -> str:
    """Write the file: what is open is open for a day, and the final comes after it unless it is started before."""
    now = utc_now()
    moments = {"opened": now - timedelta(hours=1), "ends": now + timedelta(days=1), "later": now + timedelta(days=2)}
    shown = {name: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in moments.items()}
    return FILE.format(slug=SLUG, title=TITLE, runs=RUNS, **shown)
