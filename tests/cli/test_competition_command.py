"""`lethe competition` and its file against a real server: what is shown, asked and refused before anything changes."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from services.cli.endings import Ending
from services.core.models import Role
from tests.api.harness import add_benchmark, make_settings, running, serving
from tests.command import lethe

Run = Callable[..., CompletedProcess[str]]
EXAMPLE = Path(__file__).parents[2] / "docs" / "reference" / "competition.yaml"
FILE = """\
lethe: 1
slug: cup
title: The cup
visibility: public
description: |
  One.
  Two.
phases:
  - slug: feedback
    kind: feedback
    benchmark: tiny
    opens_at: 2026-01-01T00:00:00Z
    closes_at: 2099-01-01T00:00:00Z
    seeds: 8
"""


@pytest.fixture
def run(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    settings = make_settings(tmp_path, sqlite_url)
    with running(settings) as api, serving(settings) as served:
        token = api.caller("organiser", Role.ORGANISER).token
        assert token is not None
        with api.database.write() as session:
            add_benchmark(session)
        monkeypatch.setenv("LETHE_URL", served.url)
        monkeypatch.setenv("LETHE_TOKEN", token)

        def command(*words: str) -> CompletedProcess[str]:
            return lethe("competition", *words)

        yield command


def write(text: str) -> str:
    Path("competition.yaml").write_text(text)
    return "competition.yaml"


def test_a_file_is_shown_applied_changed_and_given_back(run: Run) -> None:
    looked = run("apply", write(FILE), "--dry-run")
    assert (looked.returncode, looked.stderr) == (0, "")
    assert "New: cup" in looked.stdout and "phases.feedback: added" in looked.stdout
    assert run("export", "cup").returncode == Ending.REFUSED

    assert "version 1 of cup" in run("apply", write(FILE)).stderr

    changed = run("apply", write(FILE.replace("Two.", "Three.").replace("The cup", "Our cup")))
    assert "  title: The cup -> Our cup\n" in changed.stdout
    assert "    -Two.\n    +Three.\n" in changed.stdout
    assert "cup is already as" in run("apply", "competition.yaml").stderr

    assert run("export", "cup", "-o", "exported.yaml").returncode == 0
    assert 'title: "Our cup"' in Path("exported.yaml").read_text()
    assert "cup is already as" in run("apply", "exported.yaml").stderr
    assert [line.split()[0] for line in run("versions", "cup").stdout.splitlines()] == ["2", "1"]
    assert run("versions", "cup", "--number", "1").stdout == FILE

    assert run("delete", "cup").returncode == 0
    assert run("export", "cup").returncode == Ending.REFUSED


def test_a_new_draft_says_that_nobody_else_sees_it_and_how_to_show_it(run: Run) -> None:
    draft = FILE.replace("visibility: public\n", "")
    assert "It is a draft" in run("apply", write(draft)).stderr
    assert "│ draft" in lethe("competitions").stdout
    assert "draft" not in run("apply", write(draft.replace("Two.", "Three."))).stderr
    assert "draft" not in run("apply", write(FILE)).stderr
    assert "│ public" in lethe("competitions").stdout


def test_what_participants_rely_on_needs_a_flag(run: Run) -> None:
    run("apply", write(FILE))
    refused = run("apply", write(FILE.replace("seeds: 8", "seeds: 4")))
    assert (refused.returncode, "phases.feedback.seeds: 8 -> 4  (participants" in refused.stdout) == (1, True)
    assert "--confirm" in refused.stderr
    assert "version 2" in run("apply", "competition.yaml", "--confirm").stderr


def test_mistakes_are_printed_with_file_and_line(run: Run) -> None:
    name = write(FILE.replace("seeds: 8", "seed: 8").replace("tiny", "none"))
    for words, lines in ((("check", name), [14]), (("apply", name), [11, 14])):
        refused = run(*words)
        assert refused.returncode == 1
        said = refused.stderr.splitlines()[1:]
        assert [int(line.split(":")[1]) for line in said] == lines
    assert "phases.feedback.seed: There is no field `seed`. Did you mean `seeds`?" in refused.stderr
    assert run("check", "nothing.yaml").returncode == 1
    Path("latin.yaml").write_bytes(b"title: \xe9")
    assert "UTF-8" in run("check", "latin.yaml").stderr


def test_a_file_is_checked_without_a_server() -> None:
    checked = lethe("competition", "check", str(EXAMPLE), LETHE_URL="http://127.0.0.1:9", LETHE_TOKEN="")
    assert checked.returncode == 0, checked.stderr


def test_in_a_terminal_it_asks(run: Run) -> None:
    name = write(FILE)
    leader, follower = pty.openpty()
    os.write(leader, b"n\n")
    words = [sys.executable, "-m", "services.cli.main", "competition", "apply", name]
    done = subprocess.run(words, stdin=follower, capture_output=True, text=True, timeout=200, check=False)
    os.close(leader)
    os.close(follower)
    assert done.returncode == 1
    assert "Apply?" in done.stdout + done.stderr
    assert run("export", "cup").returncode == Ending.REFUSED
