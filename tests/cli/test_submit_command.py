"""`lethe submit` against a real server: what it says, and where."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from uuid import UUID

import pytest

from services.cli.places import forecast_in_words
from services.core.environments import keep
from services.core.models import Role, State
from services.core.queue.lifecycle import lock_evaluation, move
from services.core.store.database import Database
from tests.api.harness import add_account, add_phase, make_settings, running, serving
from tests.api.scores import score
from tests.api.test_environments import row
from tests.command import lethe

WARNS = "def unlearning(net, retain, forget, val):\n    import timm\n    net.cuda()\n"
WARNINGS = [
    "entry.py, line 3: `.cuda()` needs a GPU, and the runs have none.",
    "entry.py, line 2 imports `timm`, which is not in the environment `current`.",
]
Submit = Callable[..., CompletedProcess[str]]


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = Database(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def submit(tmp_path: Path, sqlite_url: str, database: Database) -> Iterator[Submit]:
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served:
        with database.write() as session:
            add_phase(session, add_account(session, "organiser", Role.ORGANISER))
            keep(session, row("current"))
        token = api.caller("ada").token
        assert token is not None

        def run(source: str, *options: str) -> CompletedProcess[str]:
            path = tmp_path / "entry.py"
            path.write_text(source)
            phase = ("--competition", "cup", "--phase", "feedback")
            return lethe("submit", str(path), *phase, *options, LETHE_URL=served.url, LETHE_TOKEN=token)

        yield run


def test_warnings_of_the_check_are_told_beside_the_result(submit: Submit) -> None:
    done = submit(WARNS)

    assert done.returncode == 0
    assert all(f"warning: {warning}" in done.stderr for warning in WARNINGS)
    assert "warning" not in done.stdout
    assert "warning" not in submit(WARNS.replace("net.cuda()", "").replace("import timm", "pass")).stderr


def test_json_holds_the_warnings_whether_or_not_one_waits(submit: Submit, database: Database) -> None:
    at_once = json.loads(submit(WARNS, "--json").stdout)
    with database.write() as session:
        evaluation = lock_evaluation(session, UUID(at_once["evaluation_id"]))
        move(session, evaluation, State.RUNNING)
        move(session, evaluation, State.MEASURED, seeds=evaluation.seeds)
        score(session, evaluation.id, 0.5)
    waited = json.loads(submit(WARNS, "--json", "--wait").stdout)

    assert (at_once["state"], waited["state"]) == ("queued", "scored")
    assert at_once.keys() == waited.keys()
    for told in (at_once["warnings"], waited["warnings"]):
        assert [one.startswith(warning) for one, warning in zip(told, WARNINGS, strict=True)] == [True, True]


def test_a_forecast_is_told_before_a_slot_is_spent(submit: Submit) -> None:
    checked, sent = submit(WARNS, "--check"), submit(WARNS)

    assert "forecast: no run of this code is known." in checked.stdout
    assert "forecast: shards ahead in the queue: 0" in checked.stdout
    before, told, after = sent.stderr.partition("forecast: no run of this code is known.")
    assert told and "Submitted" not in before and "Submitted entry.py" in after
    assert json.loads(submit(WARNS, "--check", "--json").stdout)["forecast"]["run_s"] is None


def test_what_is_known_is_foretold_with_its_interval_and_the_limits_that_break() -> None:
    known = {
        "run_s": {"expected": 3.0, "low": 2.0, "high": 4.0},
        "peak_memory_bytes": 10**9,
        "runs": 8,
        "phase": "check",
        "scale": 2.0,
        "warnings": ["Too slow."],
        "place": None,
    }
    assert forecast_in_words(known) == [
        "warning: Too slow.",
        "forecast: 3 s a run (90% 2 to 4), 1,000 MB of memory; from 8 runs of this code in phase check, times 2 for "
        "the size of the training set",
    ]


def test_several_files_are_sent_as_one_archive_and_equal_ones_as_equal_bytes(submit: Submit, tmp_path: Path) -> None:
    parts = tmp_path / "part.py"
    parts.write_text("def step(net):\n    return net\n")
    module = "from part import step\n\ndef unlearning(net, retain, forget, val):\n    return step(net)\n"
    entry = tmp_path / "submission.py"
    entry.write_text(module)

    sent = [json.loads(submit("", str(entry), str(parts), "--json").stdout) for _ in range(2)]
    assert [one["filename"] for one in sent] == ["submission.zip"] * 2
    assert sent[0]["sha256"] == sent[1]["sha256"]


def test_files_that_cannot_lie_in_one_archive_are_refused_at_once(submit: Submit, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "entry.py").write_text("x = 1\n")
    (other / "data.zip").write_bytes(b"")
    assert "Two files are called entry.py. Rename one" in submit(WARNS, str(other / "entry.py")).stderr
    assert "data.zip is submitted alone. Leave the other files out." in submit(WARNS, str(other / "data.zip")).stderr
    assert "There is no file nothere.py" in submit(WARNS, "nothere.py").stderr
