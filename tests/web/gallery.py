"""Something to see on every page: a database of exhibits, behind an API that nothing else works for.

Without a worker what waits goes on waiting and what runs goes on running, so each page can be looked at in each state.
"""

import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, expect
from sqlalchemy import select

from services.api.accounts.service import begin_session, create_account
from services.benchmarks.recipes import Recipe
from services.cli.client import Client
from services.core.board import campaigns
from services.core.bundle import store as bundle_store
from services.core.models import Competition, Phase, Role, Submission
from services.core.settings import SandboxKind, Settings
from services.core.store.blobs import Blobs
from services.core.store.database import Database, ReadSession, WriteSession, utc_now
from tests.api.harness import keeping_boards, serving
from tests.bundles import make_tiny_bundle
from tests.databases import migrated_sqlite
from tests.installation import phase_of
from tests.web.browsing import PASSWORD, settle
from tests.web.exhibits import add_judging, add_states, fill_board, fill_long_board, score_matrix
from tests.web.reliability import add_reliability
from tests.web.surroundings import add_environments, add_workers

__all__ = [
    "NEWCOMER",
    "OPERATOR",
    "ORGANISER",
    "PARTICIPANT",
    "PLACES",
    "REVIEWER",
    "Gallery",
    "Place",
    "feedback_phase",
    "open_gallery",
]

SLUG = "digits"
PARTICIPANT, NEWCOMER, REVIEWER, ORGANISER, OPERATOR = "ada", "newcomer", "minos", "organiser", "keeper"
CLASS = ("aeacus", "rhadamanthys", "sisyphus")  # who ask to take part, and the last is refused
ROLES = {
    PARTICIPANT: Role.PARTICIPANT,
    NEWCOMER: Role.PARTICIPANT,
    REVIEWER: Role.PARTICIPANT,
    **dict.fromkeys(CLASS, Role.PARTICIPANT),
    ORGANISER: Role.ORGANISER,
    OPERATOR: Role.OPERATOR,
}
NOWHERE = "https://127.0.0.1:1/lethe"  # where nobody answers
UNSCORABLE = "Its measurements are gone from the blob store."
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
DESCRIPTION = """Sixty of 1,437 handwritten digits are to be forgotten, as though the classifier had never seen them.

A submission is one function. Lethe calls it many times from the same original model, and compares the models that \
come back with models that were retrained without those sixty. The closer the distributions, the higher the score."""

FIELDS_OF_PAGES = ("rules:", "prizes:", "contact:", "pages:")
PAGES = """
rules: |
  1. **One person, one team.** Whoever has two leaves with both.
  2. Code that reads hidden data is disqualified, see [the data](/competitions/digits/pages/data).
prizes: |
  The winner chooses the dataset of the next competition.
contact: digits@example.org
pages:
  - slug: data
    title: The data
    body: |
      # Where they come from

      Digits of 8 by 8 pixels in `ten` classes:

      ![Eight digits, one of them to be forgotten](images/digits.png)

      <b>No HTML</b>, and no picture is loaded from elsewhere: ![a digit](https://example.org/digit.png)

      - Train: 1,437
      - Forget: 60

      ```
      x, y = batch
      ```
"""

INSTEAD = """{
    const call = window.fetch;
    window.fetch = (request) => (request.url.includes(%s) ? %s : call(request));
}"""


@dataclass(frozen=True, slots=True)
class Place:
    """A page: its path, in which names in braces stand for submissions, and who looks at it."""

    name: str
    path: str
    who: str | None = None
    shows: str | None = None  # words that may come after the rest, as events do
    is_opened: bool = False  # whatever on it can be unfolded is
    stalls: str | None = None  # calls of the API to such addresses are not answered while one looks
    fails: str | None = None  # calls to such addresses do not arrive


def _of(part: str) -> str:
    return f"/competitions/{SLUG}{part}"


OF_DIGITS = (("check", "check", -9), ("feedback", "feedback", -4), ("final", "final", 5), ("encore", "feedback", 6))
ANNOUNCED = (
    ("The rules are final", "We answered all questions of the first week.\n\nThe quota stays at 5 a day."),
    ("The feedback phase closes a day later", "A worker was away for some hours. Everybody has a day more."),
)
PLACES = (
    Place("welcome", "/"),
    Place("competitions", "/competitions"),
    Place("overview", _of("")),
    Place("rules", _of("/rules")),
    Place("page-of-competition", _of("/pages/data")),
    Place("file", _of("/organise/file"), ORGANISER, shows="Version 1,"),
    Place("file-not-allowed", _of("/organise/file"), PARTICIPANT),
    Place("file-new", "/new-competition", ORGANISER),
    Place("benchmarks", "/benchmarks", ORGANISER),
    Place("overview-of-draft", "/competitions/draft", ORGANISER),
    Place("scoring", _of("/scoring?phase=feedback")),
    Place("starting-kit", _of("/kit")),
    Place("leaderboard", _of("/leaderboard?phase=feedback")),
    Place("leaderboard-of-own", _of("/leaderboard?phase=feedback"), PARTICIPANT),
    Place("leaderboard-opened", _of("/leaderboard?phase=feedback"), ORGANISER, shows="@misc{", is_opened=True),
    Place("leaderboard-long", "/competitions/crowded/leaderboard", PARTICIPANT),
    Place(
        "leaderboard-loading",
        _of("/leaderboard?phase=feedback"),
        shows="Loading the leaderboard",
        stalls="/leaderboard?",
    ),
    Place("leaderboard-empty", _of("/leaderboard?phase=check")),
    Place("leaderboard-sealed", _of("/leaderboard?phase=final")),
    Place("submit", _of("/submit?phase=feedback"), PARTICIPANT),
    Place("submit-first", _of("/submit"), PARTICIPANT),
    Place("submit-too-early", _of("/submit?phase=encore"), PARTICIPANT),
    Place("submit-selected", _of("/submit?phase=final"), PARTICIPANT),
    Place("submit-signed-out", _of("/submit?phase=feedback")),
    Place("submission-queued", "/submissions/{queued}", PARTICIPANT),
    Place("submission-running", "/submissions/{running}", PARTICIPANT, shows="Provisional scores"),
    Place("submission-scored", "/submissions/{scored}", PARTICIPANT),
    Place("submission-opened", "/submissions/{scored}", PARTICIPANT, shows="Epoch 30", is_opened=True),
    Place("submission-unreachable", "/submissions/{scored}", PARTICIPANT, fails="/api/submissions/"),
    Place("submission-failed", "/submissions/{failed}", PARTICIPANT),
    Place("submission-timed-out", "/submissions/{timed out}", PARTICIPANT),
    Place("submission-cancelled", "/submissions/{cancelled}", PARTICIPANT),
    Place("submissions", "/submissions", PARTICIPANT),
    Place("submissions-none", "/submissions", NEWCOMER),
    Place("comparison", "/submissions/compare?one={scored}&other={scored before}", PARTICIPANT),
    Place("comparison-of-nothing", "/submissions/compare", PARTICIPANT),
    Place("account", "/account", PARTICIPANT),
    Place("notices", "/notices", PARTICIPANT),
    Place("forgot-password", "/forgot-password"),
    Place("reset-password", "/reset-password#lethe_x"),
    Place("verify-email", "/verify-email#lethe_x"),
    Place("teams", "/teams", CLASS[0]),
    Place("team-led", "/teams/shades", CLASS[0], shows="Offer to merge"),
    Place("team", "/teams/shades"),
    Place("team-shown", "/teams/{team}"),
    Place("shared", "/shared/{scored}"),
    Place("stop-mail", "/stop-mail#{nobody}_announcement.posted_0"),
    Place("teams-of-competition", "/competitions/class/teams", ORGANISER),
    Place("join-without-code", "/join", PARTICIPANT),
    Place("sign-in", "/sign-in"),
    Place("sign-up", "/sign-up"),
    Place("organise", _of("/organise?phase=feedback"), ORGANISER),
    Place("organise-add-phase", _of("/organise/add-phase"), ORGANISER),
    Place("organise-entries", _of("/organise/entries"), ORGANISER),
    Place("organise-rescoring", _of("/organise/rescoring?phase=feedback"), ORGANISER),
    Place("organise-messages", _of("/organise/messages"), ORGANISER),
    Place("organise-webhooks", _of("/organise/webhooks"), ORGANISER, shows="Added"),
    Place("organise-archive", _of("/organise/archive"), ORGANISER, shows="Ready"),
    Place("organise-record", _of("/organise/record"), ORGANISER),
    Place("organise-final", _of("/organise?phase=final"), ORGANISER, shows="would run"),
    Place("matrices", _of("/organise/matrices?phase=feedback"), ORGANISER, shows="Start the matrix"),
    Place("matrix", _of("/organise/matrices?phase=feedback&matrix={matrix}"), ORGANISER, shows="Download it as CSV"),
    Place("matrices-reviewed", _of("/organise/matrices"), REVIEWER),
    Place("judging", _of("/organise/judging?phase=feedback"), ORGANISER),
    Place("announcements", _of("/announcements")),
    Place("announcements-of-own", _of("/announcements"), ORGANISER),
    Place("submission-judged", "/submissions/{failed}", ORGANISER),
    Place("code", "/submissions/{scored}/code", PARTICIPANT),
    Place("code-compared", "/submissions/{scored}/code?other={scored before}", ORGANISER),
    Place("winners-none", _of("/winners"), shows="No winners yet"),
    Place("people", "/competitions/class/organise/people", ORGANISER),
    Place("people-reviewed", "/competitions/class/organise/people", REVIEWER),
    Place("organise-reviewed", _of("/organise?phase=feedback"), REVIEWER),
    Place("registration", "/competitions/class", NEWCOMER),
    Place("registration-waiting", "/competitions/class", PARTICIPANT),
    Place("registration-by-code", "/competitions/bare", NEWCOMER),
    Place("organise-no-phase", "/competitions/bare/organise", ORGANISER),
    Place("overview-no-phase", "/competitions/bare"),
    Place("operator", "/operator", OPERATOR),
    Place("not-allowed", "/operator", PARTICIPANT),
    Place("docs", "/docs"),
    Place("docs-scoring", "/docs/scoring#secondary-columns"),
    Place("docs-settings", "/docs/settings"),
    Place("docs-decisions", "/docs/decisions"),
    Place("docs-glossary", "/docs/glossary#tie-group"),
    Place("not-found", "/nowhere"),
    Place("no-such-competition", "/competitions/none"),
)


@dataclass
class Gallery:
    """The API, its database, everybody's tokens, and the submissions of `ada` by what became of them."""

    url: str
    settings: Settings
    database: Database
    tokens: dict[str, str]
    submissions: dict[str, str]

    def at(self, path: str) -> str:
        return self.url + path.format(**self.submissions)

    def show(self, page: Page, place: Place) -> None:
        """Show a place on a page that is new, and wait until all of it is there that will come."""
        for part, answer in ((place.stalls, "new Promise(() => {})"), (place.fails, "Promise.reject(new TypeError())")):
            if part:
                page.add_init_script(INSTEAD % (json.dumps(part), answer))
        page.goto(self.at(place.path))
        if not place.stalls:
            settle(page)
        if place.is_opened:
            page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true })")
            settle(page)
        if place.shows:
            expect(page.get_by_text(place.shows)).to_be_visible()

    def add_participant(self) -> str:
        """Make an account that has registered and done nothing else yet; return its name."""
        name = f"p-{uuid4().hex[:8]}"
        with self.database.write() as session:
            self.tokens |= _add_accounts(session, self.settings, {name: Role.PARTICIPANT})
        with closing(Client(self.url, self.tokens[name])) as client:
            _register(client)
        return name


@contextmanager
def open_gallery(root: Path) -> Iterator[Gallery]:
    """Fill a database of its own and serve it."""
    settings = Settings(data_dir=root / "var", sandbox=SandboxKind.DOCKER, webhooks_to_private=True)
    database = Database(migrated_sqlite(settings.data_dir / "lethe.db"))
    blobs = Blobs.from_settings(settings)
    with database.write() as session:
        bundle_store.publish(session, blobs, make_tiny_bundle(root / "tiny", recipe=Recipe(40, 64, 0.1)))
        bundle_store.publish(session, blobs, make_tiny_bundle(root / "faces", called="faces-small", oracle_seeds=72))
        tokens = _add_accounts(session, settings, ROLES)
        add_environments(session)
        add_workers(session)
    with (
        serving(settings) as served,
        keeping_boards(settings),
        closing(Client(served.url, tokens[ORGANISER])) as organiser,
    ):
        _hold_competition(organiser)
        with database.write() as session:
            _close_phases(session)
            phase = feedback_phase(session)
            fill_board(session, phase)
            submissions = add_states(session, blobs, phase, PARTICIPANT)
            fill_long_board(session, session.scalars(select(Phase).where(Phase.slug == "long")).one(), PARTICIPANT)
        campaign = organiser.post(f"/api/competitions/{SLUG}/phases/feedback/campaigns", {"metric": "lethe-1"})
        with database.write() as session:
            lost = session.scalars(select(Submission).where(Submission.name == "noise, then repair")).one()
            campaigns.set_aside(session, UUID(campaign["id"]), lost.evaluation_id, UNSCORABLE)
            add_judging(session, feedback_phase(session), PARTICIPANT)
            add_reliability(session, feedback_phase(session))
        _judge(organiser, submissions)
        submissions["matrix"] = _run_elsewhere(organiser, database)
        _gather(served.url, tokens)
        submissions |= _show(served.url, tokens, submissions)
        for path in (SLUG + "/phases/feedback", "crowded/phases/long"):
            organiser.board(f"/api/competitions/{path}/leaderboard")  # once it is computed
        organiser.get(f"/api/competitions/{SLUG}/phases/final/final/preview")  # likewise
        yield Gallery(served.url, settings, database, tokens, submissions)
    database.dispose()


def feedback_phase(session: ReadSession) -> Phase:
    """Find the phase that most pages show; tests add competitions with phases of the same name."""
    of_gallery = select(Phase).join(Competition).where(Competition.slug == SLUG, Phase.slug == "feedback")
    return session.scalars(of_gallery).one()


def _add_accounts(session: WriteSession, settings: Settings, roles: Mapping[str, Role]) -> dict[str, str]:
    """Make accounts, and teams of the same names; return the tokens of their sessions."""
    accounts = {name: create_account(session, name, PASSWORD, role) for name, role in roles.items()}
    return {name: begin_session(session, account, settings.key(), FIREFOX)[1] for name, account in accounts.items()}


def _judge(organiser: Client, submissions: Mapping[str, str]) -> None:
    """Disqualify what is on no board, take one back, and announce something."""
    path = f"/api/competitions/{SLUG}/disqualifications"
    organiser.post(path, {"submission_id": submissions["failed"], "reason": "It reads the labels of the test set."})
    made = organiser.post(path, {"submission_id": submissions["timed out"], "reason": "It waits on purpose."})
    organiser.post(f"{path}/{made['id']}/reinstate", {"reason": "The machine was slow, not the entry."})
    organiser.post(f"/api/competitions/{SLUG}/freezes")
    hook = {"url": NOWHERE, "kinds": ["announcement.posted", "board.changed", "phase.opened"]}
    made = organiser.post(f"/api/competitions/{SLUG}/webhooks", hook)
    organiser.post(f"/api/competitions/{SLUG}/webhooks/{made['id']}/test")
    for title, body in ANNOUNCED:
        organiser.post(f"/api/competitions/{SLUG}/announcements", {"title": title, "body": body})


def _register(client: Client) -> None:
    """Accept the rules of the competition that most pages show."""
    path = f"/api/competitions/{SLUG}/registration"
    client.post(path, {"rules_version": client.get(path)["rules_version"]})


def _gather(url: str, tokens: Mapping[str, str]) -> None:
    """Hold a competition for which people register, with a reviewer, as another one has."""
    clients = {name: Client(url, tokens[name]) for name in (ORGANISER, PARTICIPANT, *CLASS)}
    organiser, path = clients[ORGANISER], "/api/competitions/class"
    organiser.post("/api/competitions", {"slug": "class", "title": "Machine unlearning, winter term"})
    organiser.patch(f"{path}/registration", {"registration": "approval"})
    organiser.patch("/api/competitions/bare/registration", {"registration": "invitation"})
    for competition in (path, f"/api/competitions/{SLUG}"):
        organiser.post(f"{competition}/members", {"username": REVIEWER, "role": "reviewer"})
    organiser.post(f"{path}/members", {"username": OPERATOR, "role": "organiser"})
    _register(clients[PARTICIPANT])
    for name in (PARTICIPANT, *CLASS):
        clients[name].post(f"{path}/registration", {})
    organiser.post(f"{path}/registrations/refuse", {"usernames": CLASS[-1:], "reason": "You took this class before."})
    organiser.patch(f"{path}/teams", {"size": 4, "merge_until": "2099-01-01T12:00:00Z"})
    organiser.post(f"{path}/registrations/approve", {"usernames": CLASS[:2]})
    captain, other = (clients[name] for name in CLASS[:2])
    captain.post(f"{path}/teams", {"name": "shades"})
    code = captain.post("/api/teams/shades/invitations", {"uses": 3})["code"]
    other.post("/api/joining", {"code": code})
    captain.post("/api/teams/shades/merge", {"team": PARTICIPANT})
    profile = {"display_name": "Aeacus of Aegina", "affiliation": "Court of the Dead", "link": "https://example.org/a"}
    captain.patch("/api/me", profile | {"shown_in_teams": True})
    organiser.post(f"{path}/invitations", {"name": "The tutorial on Monday", "uses": 30})
    made = organiser.post(f"{path}/invitations", {"name": "A guest"})
    organiser.post(f"{path}/invitations/{made['id']}/revoke")
    for client in clients.values():
        client.close()


def _run_elsewhere(organiser: Client, database: Database) -> str:
    """Start a matrix of some entries of the board, and end its runs; return its id."""
    path = f"/api/competitions/{SLUG}/phases/feedback"
    entries = [one["submission_id"] for one in organiser.board(f"{path}/leaderboard")[:4]]
    body = {"title": "Digits and faces", "entries": entries, "benchmarks": ["tiny", "faces-small"]}
    made = organiser.post(f"{path}/matrices", body)
    with database.write() as session:
        score_matrix(session, made)
    return str(made["id"])


def _show(url: str, tokens: Mapping[str, str], submissions: Mapping[str, str]) -> dict[str, str]:
    """Let a team share a submission; return what stands for ids in addresses."""
    with closing(Client(url, tokens[PARTICIPANT])) as participant:
        participant.put(f"/api/submissions/{submissions['scored']}/share")
        team = participant.get(f"/api/teams/{PARTICIPANT}")["id"]
    return {"team": team, "nobody": "0" * 32}


def _draw_digits() -> bytes:
    """Draw eight squares, one of them crossed out."""
    image = Image.new("RGB", (8 * 64, 64), "white")
    pen = ImageDraw.Draw(image)
    for place in range(8):
        pen.rectangle((place * 64 + 8, 8, place * 64 + 56, 56), fill="#0a616d")
        pen.text((place * 64 + 26, 20), str(place), "white", ImageFont.load_default(24))
    pen.line((3 * 64 + 8, 8, 3 * 64 + 56, 56), "#b3261e", 6)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


def _hold_competition(organiser: Client) -> None:
    words = {"title": "Forgetting handwritten digits", "description": DESCRIPTION}
    organiser.post("/api/competitions", {"slug": SLUG, **words})
    organiser.post("/api/competitions", {"slug": "bare", "title": "Ages and faces"})
    organiser.post("/api/competitions", {"slug": "crowded", "title": "Many teams, one board"})
    organiser.post("/api/competitions/crowded/phases", phase_of("tiny", slug="long", seeds=64))
    for slug, kind, opens_in_days in OF_DIGITS:
        opens_at = utc_now() + timedelta(days=opens_in_days)
        window = {"opens_at": opens_at.isoformat(), "closes_at": (utc_now() + timedelta(days=13)).isoformat()}
        phase = phase_of("tiny", slug=slug, kind=kind, seeds=64, quota_per_day=9, **window)
        organiser.post(f"/api/competitions/{SLUG}/phases", phase)
    with tempfile.NamedTemporaryFile(suffix=".png") as drawn:
        Path(drawn.name).write_bytes(_draw_digits())
        organiser.put_file(f"/api/competitions/{SLUG}/images/digits.png", Path(drawn.name))
    file = organiser.get(f"/api/competitions/{SLUG}/file")
    text = "".join(line for line in file["text"].splitlines(True) if not line.startswith(FIELDS_OF_PAGES)) + PAGES
    organiser.post("/api/competition-files/apply", {"text": text, "based_on": file["token"]})
    organiser.post("/api/competition-files/apply", {"text": "lethe: 1\nslug: draft\ntitle: Not yet public\n"})


def _close_phases(session: WriteSession) -> None:
    """Let each phase last a week, so that the first has closed; nobody can make one that has."""
    for phase in session.scalars(select(Phase).join(Competition).where(Competition.slug == SLUG)):
        phase.closes_at = phase.opens_at + timedelta(days=7)
