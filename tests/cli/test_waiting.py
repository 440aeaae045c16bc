"""`lethe submit --wait` and `lethe status --watch` as CI uses them: restarts, lost answers, Ctrl-C, exit statuses."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from services.cli.endings import Ending
from services.core.models import FailureKind, Phase, Role, Submission
from services.core.queue.lifecycle import fail, lock_evaluation
from services.core.settings import Settings
from services.core.store.database import Database
from tests.api.harness import MODULE, Api, Served, add_account, add_phase, make_settings, running, serving
from tests.api.scores import measure, score
from tests.cli.server import ROOT, Killable, losing_answers
from tests.command import lethe, lethe_here

PHASE = ("-c", "cup", "-p", "feedback")


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str) -> Settings:
    return make_settings(tmp_path, sqlite_url)


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    with opened.write() as session:
        add_phase(session, add_account(session, "organiser", Role.ORGANISER))
    yield opened
    opened.dispose()


@pytest.fixture
def entry(tmp_path: Path) -> str:
    path = tmp_path / "entry.py"
    path.write_bytes(MODULE)
    return str(path)


@pytest.fixture
def api(settings: Settings, database: Database) -> Iterator[Api]:
    with running(settings) as api:
        yield api


@pytest.fixture
def served(settings: Settings, api: Api) -> Iterator[Served]:
    with serving(settings) as served:
        yield served


@pytest.fixture
def token(api: Api) -> str:
    found = api.caller("ada").token
    assert found is not None
    return found


def begin(*arguments: str, url: str, token: str) -> "subprocess.Popen[str]":
    hearing = ("env", "--default-signal=INT")  # what a shell starts in the background is deaf to Ctrl-C
    return subprocess.Popen(
        [*hearing, sys.executable, "-m", "services.cli.main", *arguments, "--url", url],
        env=os.environ | {"PYTHONPATH": str(ROOT), "LETHE_TOKEN": token},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process: "subprocess.Popen[str]", *words: str) -> str:
    """Read what a command says until all these words have come."""
    assert process.stderr is not None
    said = ""
    while not all(word in said for word in words):
        line = process.stderr.readline()
        assert line, f"it ended with {process.wait()} and said: {said}"
        said += line
    return said


def submissions(database: Database) -> list[Submission]:
    with database.read() as session:
        return list(session.scalars(select(Submission)))


def end(database: Database, *, failed: bool = False) -> None:
    """Score everything that was submitted, or let it fail."""
    for one in submissions(database):
        with database.write() as session:
            if failed:
                evaluation = lock_evaluation(session, one.evaluation_id)
                fail(session, evaluation, FailureKind.TIMEOUT, "Run 1 did not end within 60 s. Do less work.")
            else:
                measure(session, one.evaluation_id)
                score(session, one.evaluation_id, 0.05)


def test_it_waits_through_a_server_that_is_killed_and_started_again(
    settings: Settings, database: Database, token: str, entry: str
) -> None:
    server = Killable(settings)
    server.start()
    try:
        with begin("submit", entry, *PHASE, "--wait", url=server.url, token=token) as waiting:
            said = read_until(waiting, "entry: queued")
            server.kill()
            said += read_until(waiting, "No answer", "The submission goes on. Trying again in 1 s.")
            server.start()
            said += read_until(waiting, "The server answers again.")
            end(database)
            out, _ = waiting.communicate(timeout=60)
    finally:
        server.kill()

    assert waiting.returncode == Ending.DONE
    assert "final score 0.0500" in out
    assert "Trying again in 2 s." in said
    assert len(submissions(database)) == 1


def test_a_lost_answer_does_not_submit_twice(served: Served, database: Database, token: str, entry: str) -> None:
    with database.write() as session:
        session.execute(update(Phase).values(quota_per_day=1))
    with losing_answers(served.port, times=1) as url:
        done = lethe("submit", entry, *PHASE, "--url", url, LETHE_TOKEN=token)

    assert done.returncode == Ending.DONE, done.stderr
    assert "The same upload is sent again, and counts once." in done.stderr
    (only,) = submissions(database)
    assert f"as {only.id}" in done.stderr


def test_it_gives_up_when_told(settings: Settings, database: Database, token: str, entry: str) -> None:
    with serving(settings) as served:
        arguments = ("submit", entry, *PHASE, "--wait", "--give-up-after", "1.5")
        with begin(*arguments, url=served.url, token=token) as waiting:
            said = read_until(waiting, "entry: queued")
            served.stop()
            said += waiting.communicate(timeout=60)[1]
    assert waiting.returncode == Ending.UNREACHABLE
    assert "does not answer" in said


def test_after_ctrl_c_it_says_that_the_run_goes_on_and_how_to_look_again(
    served: Served, database: Database, token: str, entry: str
) -> None:
    with begin("submit", entry, *PHASE, "--wait", url=served.url, token=token) as waiting:
        read_until(waiting, "entry: queued")
        time.sleep(0.2)
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=60)
    (only,) = submissions(database)
    assert waiting.returncode == Ending.INTERRUPTED
    assert f"the submission goes on. Look again with `lethe status {only.id} --watch`" in said

    end(database)
    looked = lethe_here("status", str(only.id), "--watch", LETHE_URL=served.url, LETHE_TOKEN=token)
    assert (looked.returncode, "final score 0.0500" in looked.stdout) == (Ending.DONE, True)


def closed(database: Database) -> None:
    with database.write() as session:
        session.execute(update(Phase).values(quota_per_day=0))


def nothing(_database: Database) -> None:
    pass


@pytest.mark.parametrize(
    ("words", "changes", "given", "ending", "said"),
    [
        (("ENTRY", *PHASE), nothing, {}, Ending.DONE, "Submitted entry.py as"),
        (("nothere.py", *PHASE), nothing, {}, Ending.USAGE, "There is no file nothere.py."),
        (("ENTRY", "-c", "cup"), nothing, {}, Ending.USAGE, "--phase"),
        (("ENTRY", *PHASE), nothing, {"LETHE_TOKEN": ""}, Ending.SIGNED_OUT, "lethe login"),
        (("ENTRY", *PHASE), nothing, {"LETHE_TOKEN": "lethe_no"}, Ending.SIGNED_OUT, "not_signed_in"),
        (("ENTRY", *PHASE), nothing, {"LETHE_URL": "http://127.0.0.1:9"}, Ending.UNREACHABLE, "Check the address"),
        (("ENTRY", *PHASE), closed, {}, Ending.REFUSED, "quota_exceeded"),
        (("ENTRY", "-c", "nope", "-p", "x"), nothing, {}, Ending.REFUSED, "`lethe competitions`"),
        (("ENTRY", "-c", "cup", "-p", "x"), nothing, {}, Ending.REFUSED, "`lethe phases cup`"),
        (("--again", "not-an-id"), nothing, {}, Ending.REFUSED, "submission_id: must be an id"),
    ],
)
def test_each_way_to_end_has_its_status(
    served: Served,
    database: Database,
    token: str,
    entry: str,
    words: tuple[str, ...],
    changes: Callable[[Database], None],
    given: dict[str, str],
    ending: Ending,
    said: str,
    tmp_path: Path,
) -> None:
    changes(database)
    arguments = [entry if word == "ENTRY" else word for word in words]
    environment = {"LETHE_URL": served.url, "LETHE_TOKEN": token, "XDG_CONFIG_HOME": str(tmp_path)} | given
    done = lethe_here("submit", *arguments, **environment)

    assert (done.returncode, said in done.stderr) == (ending, True), done.stderr
    assert "/api" not in done.stderr and "GET " not in done.stderr


def test_a_failed_entry_has_a_status_of_its_own_and_a_summary(
    served: Served, database: Database, token: str, entry: str, tmp_path: Path
) -> None:
    summary = tmp_path / "summary.md"
    with begin("submit", entry, *PHASE, "--wait", "--summary", str(summary), url=served.url, token=token) as waiting:
        read_until(waiting, "entry: queued")
        end(database, failed=True)
        waiting.communicate(timeout=60)

    assert waiting.returncode == Ending.FAILED
    written = summary.read_text()
    assert written.startswith("## Lethe: entry is failed\n")
    assert "**timeout**: Run 1 did not end within 60 s. Do less work." in written
    assert f"({served.url}/submissions/" in written


def test_what_there_is_needs_no_login(served: Served, token: str, entry: str, tmp_path: Path) -> None:
    stranger = {"LETHE_URL": served.url, "LETHE_TOKEN": "", "XDG_CONFIG_HOME": str(tmp_path)}
    for words, shown in (
        (("competitions",), "cup"),
        (("phases", "cup"), "feedback"),
        (("leaderboard", *PHASE), "cup, feedback"),
    ):
        done = lethe_here(*words, **stranger)
        assert (done.returncode, shown in done.stdout) == (Ending.DONE, True), (words, done.stderr)
    for word in ("whoami", "submissions"):
        assert lethe_here(word, **stranger).returncode == Ending.SIGNED_OUT

    known = stranger | {"LETHE_TOKEN": token}
    assert lethe_here("whoami", **known).stdout.endswith(f"ada (participant) at {served.url}\nteams: ada\n")
    assert lethe_here("submissions", **known).stdout.endswith("There are no submissions.\n")
    lethe_here("submit", entry, *PHASE, "--name", "a rather long name of a first try", **known)
    (listed,) = [line for line in lethe_here("submissions", **known).stdout.splitlines() if "queued" in line]
    assert "a rather long name of a first try" in listed


def test_an_earlier_submission_is_sent_again_with_its_note(
    served: Served, database: Database, token: str, entry: str
) -> None:
    known = {"LETHE_URL": served.url, "LETHE_TOKEN": token}
    lethe_here("submit", entry, *PHASE, "--name", "first", "--note", "lr 0.1", "--tag", "base", **known)
    (first,) = submissions(database)
    done = lethe_here("submit", "--again", str(first.id), "--tag", "again", **known)
    assert done.returncode == Ending.DONE, done.stderr
    (second,) = [one for one in submissions(database) if one.id != first.id]

    assert (second.name, second.filename, second.blob) == (first.name, first.filename, first.blob)
    assert lethe_here("note", str(first.id), **known).stdout.endswith("lr 0.1\ntags: base\n")
    assert lethe_here("note", str(second.id), **known).stdout.endswith("lr 0.1\ntags: again\n")
    assert lethe_here("note", str(second.id), "lr 0.2", "--tag", "", **known).stdout.endswith("lr 0.2\ntags: none\n")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Submission)) == 2
