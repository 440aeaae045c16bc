"""Submitting as people do: where one begins, several files at once, an earlier one again, and what a score means."""

import io
import zipfile
from contextlib import closing
from datetime import timedelta
from uuid import UUID

from playwright.sync_api import expect
from sqlalchemy import select

from services.cli.client import Client
from services.core.models import Competition, MeasurementRow, Phase, Submission
from services.core.store.blobs import Blobs
from services.core.store.database import utc_now
from tests.api.scores import measure
from tests.web.browsing import ENTRY, accessibility_faults, file
from tests.web.conftest import Visit
from tests.web.gallery import PARTICIPANT, Gallery, Place

MAIN = "from core import step\n\n\ndef unlearning(net, retain_loader, forget_loader, val_loader):\n    step(net)\n"
FORM = "/competitions/digits/submit?phase=feedback"


def test_several_files_become_one_archive_with_a_note(gallery: Gallery, visit: Visit) -> None:
    page = visit(Place("submit", FORM, gallery.add_participant()))
    page.get_by_label("Drop your submission here").set_input_files(
        [file("main.py", MAIN), file("core.py", "def step(net): ...\n")]
    )
    expect(page.get_by_text("Ready to submit")).to_be_visible()
    expect(page.get_by_text("submission.zip")).to_be_visible()
    page.get_by_text("Note and tags").click()
    page.get_by_label("Note", exact=True).fill("two files")
    page.get_by_label("Tags").fill("first, zip")
    page.get_by_label("Name on the leaderboard").fill("packed")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", name="packed", level=1)).to_be_visible()
    expect(page.get_by_text("two files")).to_be_visible()
    expect(page.get_by_text("zip", exact=True)).to_be_visible()

    with gallery.database.read() as session:
        blob = session.get_one(Submission, UUID(page.url.rpartition("/")[2])).blob
    with zipfile.ZipFile(io.BytesIO(Blobs.from_settings(gallery.settings).get(blob))) as archive:
        assert archive.testzip() is None
        assert archive.read("main.py").decode() == MAIN

    page.get_by_role("link", name="Submit again").click()
    expect(page.get_by_text("Ready to submit")).to_be_visible()
    expect(page.get_by_label("Name on the leaderboard")).to_have_value("packed")
    expect(page.get_by_label("Note", exact=True)).to_have_value("two files")
    page.get_by_label("submission.zip").set_input_files([file("other.py", ENTRY)])
    expect(page.get_by_text("other.py")).to_be_visible()


def test_own_submissions_are_narrowed_to_a_tag(gallery: Gallery, visit: Visit) -> None:
    who = gallery.add_participant()
    upload = gallery.settings.make_data_dir() / "tagged.py"
    with closing(Client(gallery.url, gallery.tokens[who])) as client:
        for name, tag in (("with-lemon", "7"), ("with-lime", "sour <b>")):
            upload.write_text(ENTRY + f"NAME = {name!r}\n")
            where = "/api/competitions/digits/phases/feedback/submissions"
            made = client.upload(where, upload, filename="entry.py", name=name)
            client.put(f"/api/submissions/{made['id']}/note", {"note": "", "tags": [tag]})
    page = visit(Place("submissions", "/submissions", who))
    expect(page.get_by_role("link", name="with-lemon")).to_be_visible()
    for tag, shown, gone in (("7", "with-lemon", "with-lime"), ("sour <b>", "with-lime", "with-lemon")):
        page.get_by_role("link", name=tag, exact=True).click()
        expect(page.get_by_text("Only submissions with the tag")).to_be_visible()
        expect(page.get_by_role("link", name=gone)).to_have_count(0)
        expect(page.get_by_role("link", name=shown)).to_be_visible()
        page.reload()
        expect(page.get_by_role("link", name=shown)).to_be_visible()
        assert not accessibility_faults(page)
        page.get_by_role("link", name="Show all submissions").click()
        expect(page.get_by_role("link", name=gone)).to_be_visible()


def test_a_forecast_stands_beside_a_file_before_it_is_submitted(gallery: Gallery, visit: Visit) -> None:
    who = gallery.add_participant()
    page = visit(Place("submit", FORM, who))
    page.get_by_label("Drop your submission here").set_input_files([file("entry.py", ENTRY)])
    expect(page.get_by_text("No run of this code is known yet")).to_be_visible()

    with closing(Client(gallery.url, gallery.tokens[who])) as client:
        let_run_in_check(gallery, client, ENTRY.encode())
    page.reload()
    page.get_by_label("Drop your submission here").set_input_files([file("entry.py", ENTRY)])
    expect(page.get_by_text("A run is likely to take 70.0 s")).to_be_visible()
    expect(page.get_by_text("Warning: A run is likely to take 70 s")).to_be_visible()
    expect(page.get_by_text("in the queue")).to_be_visible()
    assert not accessibility_faults(page)


def let_run_in_check(gallery: Gallery, client: Client, data: bytes) -> None:
    """Let an entry run in the check phase, for 70 s a run, beyond what phases allow."""
    upload = gallery.settings.make_data_dir() / "entry.py"
    upload.write_bytes(data)
    with gallery.database.write() as session:
        of_digits = Phase.competition.has(Competition.slug == "digits")
        check = session.scalars(select(Phase).where(Phase.slug == "check", of_digits)).one()
        opened, check.closes_at = check.closes_at, utc_now() + timedelta(days=1)
    made = client.upload("/api/competitions/digits/phases/check/submissions", upload, filename="entry.py")
    with gallery.database.write() as session:
        evaluation = measure(session, UUID(made["evaluation_id"]))
        session.get_one(Phase, check.id).closes_at = opened
        for seed in range(2):
            row = {"seed": seed, "run_s": 70.0, "peak_memory_bytes": 10**8, "checkpoint_sha256": "0" * 64}
            session.add(MeasurementRow(evaluation_id=evaluation.id, **row))


def test_a_score_says_on_which_forget_examples_it_loses(gallery: Gallery, visit: Visit) -> None:
    page = visit(Place("submission", "/submissions/{scored}", PARTICIPANT))
    section = page.get_by_role("heading", name="Where the loss is").locator("..")
    worst = section.get_by_role("region", name="Forget examples that are told apart most").get_by_role("row")
    expect(worst).to_have_count(9)
    expect(section.get_by_text("Most is lost in")).to_be_visible()
    picture = section.get_by_alt_text("Forget example 0, of label 0")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") == 8
    section.get_by_text("16 more of 60 forget examples").click()
    expect(section.get_by_role("region", name="More forget examples")).to_be_visible()
    assert not accessibility_faults(page)

    other = visit(Place("submission", "/submissions/{scored before}", PARTICIPANT))
    expect(other.get_by_role("heading", name="What this score means")).to_be_visible()
    expect(other.get_by_role("heading", name="Where the loss is")).to_have_count(0)


def test_a_score_is_told_in_words_that_lead_to_how_one_is_scored(gallery: Gallery, visit: Visit) -> None:
    page = visit(Place("submission", "/submissions/{scored}", PARTICIPANT))
    meaning = page.get_by_role("heading", name="What this score means").locator("..")
    expect(meaning).to_contain_text("could be")
    expect(meaning).to_contain_text("run again, the same code would score")
    expect(page.get_by_role("heading", name="Second opinion: lethe-1")).to_be_visible()
    expect(page.get_by_role("heading", name="Your submissions to feedback")).to_be_visible()
    meaning.get_by_role("link", name="How you are scored").click()
    expect(page.get_by_text("Score = forgetting quality × utility.")).to_be_visible()
    expect(page.get_by_text("Ceiling of F by neurips-2023")).to_be_visible()
