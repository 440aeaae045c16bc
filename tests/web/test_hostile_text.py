"""Whatever people call things, it stays text: no markup of theirs is run, and no mark of theirs turns ours around."""

from contextlib import closing
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from services.cli.client import Client
from services.core.models import Account, Competition, FailureKind, Phase, Team
from services.core.queue.lifecycle import fail, lock_evaluation
from services.core.text import tidy
from tests.api.scores import publish
from tests.web.browsing import ENTRY, NARROW, WIDE, file, overflow_px, settle
from tests.web.conftest import Visit
from tests.web.exhibits import add_submission
from tests.web.gallery import ORGANISER, Gallery, Place, feedback_phase

MARKUP = """<img src="x" onerror="window.hacked = 1"><script>window.hacked = 1</script>"""
TURNED = "evil\u202etxt.py"  # what follows the mark is shown from right to left, if nothing keeps it in
LONG = "W" * 200
NAMES = (MARKUP, TURNED, LONG)
NOT_KEPT_IN = """() => {
    const loose = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode;
        const isolated = /\\u2068[^\\u2069]*\\u2069/g;  // Unicode's own way to keep marks in
        const lines = text.data.replace(isolated, "").split("\\n").filter((line) => line.includes("\\u202e"));
        if (lines.length === 0) continue;
        let around = text.parentElement;
        if (around instanceof SVGElement) continue;  // a text of its own, or a title that is not shown
        const kept = () => {
            const { display, unicodeBidi } = getComputedStyle(around);
            return unicodeBidi.startsWith("isolate") || !display.startsWith("inline");
        };
        while (around.textContent === text.data && !kept()) around = around.parentElement;
        const endsThere = lines.every((line) => /\\u202etxt(\\.py)?$/.test(line));
        if (!endsThere || around.textContent !== text.data) loose.push(around.outerHTML);
    }
    return loose;
}"""


def assert_only_text(page: Page, *shown: str) -> None:
    """Nothing of it became an element, ran, turned what stands beside it around, or made the page too wide."""
    for words in shown:
        expect(page.get_by_text(words).first).to_be_attached()
    settle(page)
    assert page.locator("main :is(img, script, iframe, [onerror])").count() == 0
    assert page.evaluate("window.hacked") is None
    assert page.evaluate(NOT_KEPT_IN) == []
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow_px(page) <= 0


@pytest.mark.parametrize("name", [MARKUP.replace("/", ""), "W" * 197], ids=["markup", "long"])
def test_name_of_a_file_stays_text(name: str, gallery: Gallery, visit: Visit) -> None:
    page = visit(Place("submit", "/competitions/digits/submit?phase=feedback", gallery.add_participant()))
    name = f"{name}.py"
    page.get_by_label("Drop your submission here").set_input_files(file(name, ENTRY))
    assert_only_text(page, name)
    page.get_by_role("main").get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", name="Provenance")).to_be_visible()
    assert_only_text(page, name)
    page.get_by_role("link", name="My submissions").click()
    assert_only_text(page, name)


def test_name_of_a_file_that_turns_text_around_is_shown_as_text_and_refused(gallery: Gallery, visit: Visit) -> None:
    page = visit(Place("submit", "/competitions/digits/submit?phase=feedback", gallery.add_participant()))
    page.get_by_label("Drop your submission here").set_input_files(file(TURNED, ENTRY))
    assert_only_text(page, TURNED, "invisible or control characters")
    expect(page.get_by_role("main").get_by_role("button", name="Submit", exact=True)).to_be_disabled()


@pytest.mark.parametrize("words", NAMES, ids=["markup", "turned", "long"])
def test_traceback_stays_text(words: str, gallery: Gallery, visit: Visit) -> None:
    who = gallery.add_participant()
    with gallery.database.write() as session:
        phase = feedback_phase(session)
        row = add_submission(session, phase, who, words)
        evaluation = lock_evaluation(session, row.evaluation_id)
        fail(session, evaluation, FailureKind.EXCEPTION, f"ValueError: {words}\n{words}")
        path = f"/submissions/{row.id}"
    assert_only_text(visit(Place("submission", path, who)), tidy(f"ValueError: {words}"))
    assert_only_text(visit(Place("submissions", "/submissions", who)), words)


def test_names_on_a_board_stay_text(gallery: Gallery, visit: Visit) -> None:
    """Nobody can call anything so by the API; the pages do not rely on it."""
    with gallery.database.write() as session:
        organiser = session.scalars(select(Account).where(Account.username == ORGANISER)).one()
        contest = Competition(slug="hostile", title=MARKUP, description=MARKUP, owner_id=organiser.id)
        like = feedback_phase(session)
        copied: dict[str, Any] = {
            column.key: getattr(like, column.key)
            for column in Phase.__table__.columns
            if column.key not in {"id", "competition_id"}
        }
        phase = Phase(competition=contest, **copied)
        session.add_all([contest, phase])
        rows = []
        for place, name in enumerate(NAMES):
            team = Team(name=name)
            session.add(team)
            session.flush()
            alarm = {"kind": "above_ceiling", "message": "F is above what a second oracle reaches."}
            rows.append(publish(session, phase, team, 0.02 + 0.02 * place, alarms=[alarm]).submission_id)
    with closing(Client(gallery.url, gallery.tokens[ORGANISER])) as client:
        client.board("/api/competitions/hostile/phases/feedback/leaderboard")  # once it is computed
    for path in ("/", "/competitions/hostile"):
        assert_only_text(visit(Place("names", path)), MARKUP)
    assert_only_text(visit(Place("names", "/competitions/hostile/leaderboard")), *NAMES)
    of_organiser = (
        "/competitions/hostile/organise/entries",
        f"/submissions/compare?one={rows[0]}&other={rows[1]}",
        f"/submissions/compare?one={rows[1]}&other={rows[2]}",
        *(f"/submissions/{row}" for row in rows),
    )
    for path in of_organiser:
        assert_only_text(visit(Place("names", path, ORGANISER)), *(NAMES if "organise" in path else ()))
