"""What is shown to strangers, by the page: a score that its team shares, an image of a text; and what one is told."""

import io
from contextlib import closing

from PIL import Image
from playwright.sync_api import expect

from services.cli.client import Client
from tests.web.browsing import Open, accessibility_faults, settle
from tests.web.gallery import ORGANISER, PARTICIPANT, Gallery


def test_a_team_shares_a_score_with_strangers_and_stops(gallery: Gallery, open_as: Open) -> None:
    own = open_as(PARTICIPANT, "/submissions/{scored before}")
    own.get_by_role("button", name="Share this submission").click()
    expect(own.get_by_role("button", name="Copy the link")).to_be_visible()

    stranger = open_as(None, "/shared/{scored before}")
    expect(stranger.get_by_role("heading", name="noise, then repair", level=1)).to_be_visible()
    expect(stranger.get_by_role("main")).to_contain_text("of what a perfect retraining earns here")
    stranger.get_by_text("Share and cite").click()
    expect(stranger.get_by_text("@misc{")).to_be_visible()
    stranger.get_by_role("link", name=PARTICIPANT, exact=True).click()
    expect(stranger.get_by_role("heading", name=PARTICIPANT, level=1)).to_be_visible()
    expect(stranger.get_by_role("button", name="Copy the link")).to_be_visible()

    own.get_by_role("button", name="Stop sharing").click()
    expect(own.get_by_role("button", name="Share this submission")).to_be_visible()
    stranger.goto(gallery.at("/shared/{scored before}"))
    expect(stranger.get_by_text("There is no shared submission")).to_be_visible()


def test_an_organiser_adds_an_image_that_a_page_shows(gallery: Gallery, open_as: Open) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 20), "green").save(drawn, "PNG")
    page = open_as(ORGANISER, "/competitions/bare/organise/file")
    chosen = page.get_by_label("Image", exact=True)
    chosen.set_input_files({"name": "My Plot.PNG", "mimeType": "image/png", "buffer": b"no image"})
    page.get_by_role("button", name="Add the image").click()
    expect(page.get_by_text("That is no PNG image")).to_be_visible()
    chosen.set_input_files({"name": "My Plot.PNG", "mimeType": "image/png", "buffer": drawn.getvalue()})
    page.get_by_role("button", name="Add the image").click()
    expect(page.get_by_text("Added as my-plot.png.")).to_be_visible()
    expect(page.get_by_role("region", name="Images")).to_contain_text("40 × 20 pixels")
    settle(page)
    assert accessibility_faults(page) == []

    shown = open_as(None, "/competitions/digits/pages/data")
    image = shown.get_by_role("img", name="Eight digits, one of them to be forgotten")
    expect(image).to_be_visible()
    image.scroll_into_view_if_needed()
    shown.wait_for_function("document.querySelector('main img').naturalWidth === 512")
    expect(shown.get_by_role("link", name="a digit")).to_be_visible()  # of elsewhere, which is not loaded


def test_each_kind_is_told_as_one_chooses(gallery: Gallery, open_as: Open) -> None:
    who = gallery.add_participant()
    page = open_as(who, "/account")
    section = page.locator("section", has=page.get_by_role("heading", name="What you are told"))
    section.get_by_label("A submission runs: in Notices").check()
    section.get_by_label("An announcement is posted: by mail").uncheck()
    section.get_by_role("button", name="Save what I am told").click()
    expect(section.get_by_text("Saved.")).to_be_visible()
    with closing(Client(gallery.url, gallery.tokens[who])) as client:
        chosen = client.get("/api/me")["preferences"]
    assert "submission.running" in chosen["notice_kinds"]
    assert "announcement.posted" not in chosen["mail_kinds"]
    assert "submission.failed" in chosen["mail_kinds"]
    section.get_by_label("Send me mail about my competitions").uncheck()
    expect(section.get_by_label("A submission failed: by mail")).to_be_disabled()

    stop = open_as(None, "/stop-mail#{nobody}_announcement.posted_0")
    expect(stop.get_by_text("An announcement is posted")).to_be_visible()
    assert "#" not in stop.url
    stop.get_by_role("button", name="Stop such mail").click()
    expect(stop.get_by_text("The link is wrong")).to_be_visible()
