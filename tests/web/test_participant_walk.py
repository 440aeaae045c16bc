"""What a participant does, by the page alone: from a stranger's first visit to a score, a failure, a comparison."""

import json
import os
import signal
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from services.core.bundle import store as bundle_store
from services.core.bundle.directory import Bundle
from services.core.store.blobs import Blobs
from tests.faces import NOISE, READ, SEEDS, ZIP, notebook
from tests.installation import Installation, phase_of
from tests.web.browsing import PASSWORD, accessibility_faults, file, overflow_px, settle, sign_in

MODULE = """
import time
import torch

def unlearning(net, retain_loader, forget_loader, val_loader):
    {first}
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter), alpha={alpha})
"""
FIRST_SCORE_S = 180  # from the first visit to the score: what we promise a stranger
SLOW = MODULE.format(first="time.sleep(5)", alpha=1)


@pytest.fixture
def contest(served: Installation) -> str:
    """The title of a competition of its own, whose phase takes modules."""
    title = f"Cup {uuid4().hex[:8]}"
    slug = title.lower().replace(" ", "-")
    served.client.post("/api/competitions", {"slug": slug, "title": title})
    served.client.post(f"/api/competitions/{slug}/phases", phase_of("tiny", seeds=16, shard_seeds=8))
    return title


@pytest.fixture
def participant(served: Installation, context: BrowserContext) -> str:
    """Sign a new participant in, without the page; return the name."""
    credentials = {"username": f"p-{uuid4().hex[:8]}", "password": PASSWORD}
    served.client.post("/api/accounts", credentials)
    sign_in(context, served.stack.url, served.client.post("/api/sessions", credentials)["token"])
    return credentials["username"]


def open_form(page: Page, served: Installation, contest: str) -> None:
    page.goto(served.stack.url)
    page.get_by_role("link", name=contest).click()
    page.get_by_role("link", name="Submit", exact=True).click()
    expect(page.get_by_text("Drop your submission here")).to_be_visible()


def submit(page: Page, name: str, source: str) -> None:
    """Choose a file, give it a name, send it, and wait until its own page stands."""
    page.get_by_label("Drop your submission here").set_input_files(file("entry.py", source))
    page.get_by_label("Name on the leaderboard").fill(name)
    send(page)
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def send(page: Page) -> None:
    page.get_by_role("main").get_by_role("button", name="Submit", exact=True).click()


def await_score(page: Page) -> None:
    expect(page.get_by_role("heading", name="Score by neurips-2023")).to_be_visible(timeout=120_000)


def check(page: Page) -> None:
    """What every page must be; here for the states that only a real run leads to."""
    settle(page)
    assert accessibility_faults(page) == []
    assert overflow_px(page) <= 0


def test_stranger_reaches_a_score_from_the_page_alone(
    page: Page, served: Installation, contest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is known beforehand but the address: the kit holds an entry, and the page says what to do with it."""
    began = time.monotonic()
    page.goto(served.stack.url)
    page.get_by_role("link", name=contest).click()
    page.get_by_role("link", name="Starting kit").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the starting kit").click()
    download.value.save_as(tmp_path / "kit.zip")
    with zipfile.ZipFile(tmp_path / "kit.zip") as kit:
        entry = next(name for name in kit.namelist() if name.endswith("my_unlearning.py"))
        module = Path(kit.extract(entry, tmp_path))

    page.get_by_role("link", name="Submit", exact=True).click()
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_role("link", name="Create an account").click()
    expect(page.get_by_role("heading", name="Create an account")).to_be_visible()  # signing in asks for the same
    page.get_by_label("Username").fill(f"stranger-{uuid4().hex[:6]}")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_label("Drop your submission here").click()
    chooser.value.set_files(module)
    send(page)
    expect(page.get_by_role("heading", name="my_unlearning", level=1)).to_be_visible()
    await_score(page)
    took_s = time.monotonic() - began

    check(page)
    expect(page.get_by_text("16 of 16 runs done")).to_be_visible()
    page.get_by_role("link", name="phase feedback").click()
    expect(page.get_by_role("row", name="my_unlearning")).to_contain_text("you")
    check(page)
    with capsys.disabled():
        print(f"\nA stranger had a score after {took_s:.0f} s, of {FIRST_SCORE_S} allowed.")  # noqa: T201 - for whoever runs it
    assert took_s < FIRST_SCORE_S


@pytest.mark.usefixtures("participant")
def test_entry_that_raises_is_told_what_and_where(page: Page, served: Installation, contest: str) -> None:
    open_form(page, served, contest)
    submit(page, "broken", "def unlearning(a, b, c, d):\n    raise ValueError('<b>why</b>')\n")
    expect(page.get_by_role("heading", name="Raised an exception")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("ValueError: <b>why</b>")).to_be_visible()
    expect(page.get_by_text("What to do.")).to_be_visible()
    check(page)


@pytest.mark.usefixtures("participant")
def test_file_that_is_no_entry_is_refused_before_it_is_sent(page: Page, served: Installation, contest: str) -> None:
    open_form(page, served, contest)
    chooser = page.get_by_label("Drop your submission here")
    chooser.set_input_files(file("entry.txt", "words"))
    expect(page.get_by_role("alert")).to_contain_text("entry.txt does not end in")
    chooser.set_input_files(file("entry.py", "def unlearn(net): ..."))
    expect(page.get_by_role("alert")).to_contain_text("unlearning")
    expect(page.get_by_role("main").get_by_role("button", name="Submit", exact=True)).to_be_disabled()
    check(page)


@pytest.mark.usefixtures("participant")
def test_running_entry_is_cancelled_after_asking(page: Page, served: Installation, contest: str) -> None:
    open_form(page, served, contest)
    submit(page, "slow", SLOW)
    expect(page.get_by_role("status")).to_contain_text("running", timeout=60_000)
    ask = page.get_by_role("button", name="Cancel submission")
    ask.click()
    page.get_by_role("dialog").get_by_role("button", name="Go back").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    ask.click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel submission").click()
    expect(page.get_by_role("status")).to_contain_text("cancelled")
    expect(ask).to_have_count(0)
    check(page)


@pytest.mark.usefixtures("participant")
def test_page_goes_on_by_itself_when_the_api_was_away(page: Page, served: Installation, contest: str) -> None:
    open_form(page, served, contest)
    submit(page, "steady", MODULE.format(first="time.sleep(1)", alpha=1))
    expect(page.get_by_role("status")).to_contain_text("running", timeout=60_000)
    page.evaluate("window.isSamePage = true")
    with api_away(served):
        expect(page.get_by_text("Connection lost. Reconnecting")).to_be_visible()
    await_score(page)
    expect(page.get_by_text("Connection lost")).to_have_count(0)
    assert page.evaluate("window.isSamePage")


@contextmanager
def api_away(served: Installation) -> Iterator[None]:
    """End the API, and start it again after the block, at the same address."""
    os.kill(served.stack.pid("api"), signal.SIGTERM)
    try:
        yield
    finally:
        while not served.stack.restart_dead():
            time.sleep(0.1)
        served.stack.await_api()


@pytest.mark.usefixtures("participant")
def test_two_entries_are_dropped_watched_and_compared(page: Page, served: Installation, contest: str) -> None:
    for name, alpha in (("loud", 1.0), ("still", 0.05)):
        open_form(page, served, contest)
        drop(page, f"{name}.py", MODULE.format(first="pass", alpha=alpha))
        send(page)
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        await_score(page)
    page.get_by_role("link", name="My submissions").click()
    for name in ("loud", "still"):
        page.get_by_role("checkbox", name=f"Compare {name}").check()
    page.get_by_role("button", name="Compare selected").click()
    expect(page.get_by_text("Score difference")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("loud")
    check(page)


def drop(page: Page, name: str, source: str) -> None:
    """Drop a file where the page says that one may be dropped."""
    dropped = page.evaluate_handle(
        """([name, source]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([source], name));
            return carried;
        }""",
        [name, source],
    )
    zone = page.get_by_text("Drop your submission here")
    for event in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": dropped})
    expect(page.get_by_text(name)).to_be_visible()


@pytest.mark.timeout(900)  # its benchmark is built first: half a minute, but for what else the machine does
@pytest.mark.usefixtures("participant")
def test_notebook_is_submitted_and_comes_back_executed(page: Page, served: Installation, faces: Bundle) -> None:
    with served.database.write() as session:
        bundle_store.publish(session, Blobs.from_settings(served.settings), faces)
    served.client.post("/api/competitions", {"slug": "notebooks", "title": "Notebooks"})
    phase = phase_of("faces-test", seeds=SEEDS, notebooks=True)
    served.client.post("/api/competitions/notebooks/phases", phase)

    lingers = "import time\ntime.sleep(12)"  # its files are looked at every 5 s
    data = notebook(READ, NOISE, lingers, ZIP)
    open_form(page, served, "Notebooks")
    page.get_by_label("Drop your submission here").set_input_files(file("my notebook.ipynb", data))
    send(page)
    expect(page.get_by_role("heading", name="my notebook", level=1)).to_be_visible()
    expect(page.get_by_text(f"{SEEDS} of {SEEDS} checkpoints written")).to_be_visible(timeout=120_000)
    await_score(page)
    expect(page.get_by_text(f"{SEEDS} of {SEEDS} checkpoints measured")).to_be_visible()
    check(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="executed notebook").click()
    assert f"wrote {SEEDS}" in json.dumps(json.loads(download.value.path().read_text()))
